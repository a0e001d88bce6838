#pragma once

#include <sys/types.h>

#include <chrono>
#include <holdfast/listener.hpp>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "unique_fd.hpp"

namespace holdfast {

// Time for handshakes that are under way when new ones are dropped: a round trip. Their clients would be reset if the
// socket was shut down or closed at once.
constexpr std::chrono::milliseconds handshake_period{50};

// Attaches a filter to a TCP listener that drops packets with SYN and without ACK: no connection begins. Those whose
// handshake is under way still complete it and get into the queue. Accepted sockets inherit the filter, and never
// receive such a packet. Returns false with errno if the kernel refuses it.
bool drop_new_connections(int fd);

// Undoes it, for a socket that is still listening.
void accept_new_connections(int fd);

// Refuses new clients in a drain that nobody can take back, and loses none that is in an accept queue:
//
//   begin()                    keeps new clients out: a filter drops the SYN packets of TCP, a unix path is unlinked
//   (handshake_period)         the last ones get into the queue
//   (the program's callbacks)  accept what is queued
//   shut_down_empty()          shuts down each socket whose queue is empty: clients are refused at once
//
// shutdown(2) alone would reset the queued clients. The descriptors belong to the program, which may close them or give
// them away at any time. While the worker serves, this class holds only their numbers and inodes, because a copy would
// keep a socket listening that the program has closed. From begin() on it works on copies. Thread-safe.
class ListenerShutdown {
  public:
    using Clock = std::chrono::steady_clock;

    // Adds a listening socket, before the program gets its descriptor. After begin() it refuses new clients at once.
    void add(int fd, Origin origin);

    // Keeps new clients out. Clients of an abstract unix address, and where the kernel refuses the filter, still get
    // into the queue. Further calls do nothing. Returns whether handshakes may be under way.
    enum class Handshakes { none, pending };
    Handshakes begin();

    // Shuts down each socket whose queue is empty, or whose descriptor the program has closed. Call it when the program
    // has stopped accepting. Returns when to call it again, because no event says that a queue has become empty;
    // nothing if all are shut down, or before begin().
    std::optional<Clock::time_point> shut_down_empty(Clock::time_point now);

    // Shuts down all: clients that are still queued are reset. Does nothing before begin().
    void shut_down_all();

  private:
    struct Inode {
        dev_t device = 0;
        ino_t number = 0;
        friend bool operator==(const Inode&, const Inode&) = default;
    };
    struct Socket {
        int fd = -1;  // the program's
        Inode inode;
        Origin origin = Origin::inherited;
        std::string path;  // absolute; empty: not a unix path
        Inode path_inode;
        UniqueFd copy;  // after begin()
    };

    static std::optional<Inode> inode_of(int fd);
    static std::optional<Inode> inode_at(const std::string& path);
    void keep_out();
    static void keep_out(Socket& socket);
    static bool is_closed_by_program(const Socket& socket);
    static bool is_empty(const Socket& socket);
    static void shut_down(const Socket& socket);

    std::mutex mutex_;
    std::vector<Socket> sockets_;  // those that are not shut down
    bool has_begun_ = false;
    Clock::duration interval_{};
};

}  // namespace holdfast
