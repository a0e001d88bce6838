#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/address.hpp"
#include "base/result.hpp"
#include "os/socket_address.hpp"
#include "os/unique_fd.hpp"
#include "os/unix_path.hpp"

namespace holdfast::os {

enum class Ownership {
    ours,     // bound by us: ours to refuse at, to unlink, to bind anew
    adopted,  // fd:N and systemd: somebody else's too, who may want clients to wait in its queue
};

// A bound socket that listens. It stays open here until the service ends; workers inherit it. O_NONBLOCK lives on the
// description that all of them share: it is set, if asked for, before the first launch, and never touched again.
struct Listener {
    UniqueFd fd;  // close-on-exec
    ListenAddress address;
    std::string name;              // as in LISTEN_FDNAMES
    SocketAddress socket_address;  // what it is really bound to
    std::string bound;             // the same in words: "127.0.0.1:41233", "[::]:8080", "unix:/run/app.sock"
    std::uint16_t port = 0;        // TCP: the resolved one
    Ownership ownership = Ownership::ours;
    std::optional<int> backlog;      // in effect from the start; nothing where an adopted one's is not known
    std::optional<int> backlog_cut;  // what was asked for, where somaxconn cut it to `backlog`
    std::optional<UnixPath> path;    // unix paths bound by us
};

// Opens what one `--listen` asks for: one listener, or for "systemd" each that systemd passed. Unix paths need the
// service's lock to be held. Errors: code EADDRINUSE names the holder where /proc shows it; adopting needs a stream
// socket that listens and is none of 0, 1, 2.
Result<std::vector<Listener>> open_listeners(const ListenAddress& address);

// New clients are refused at once (invariant 1); for when no worker accepts any more. TCP: shutdown, which resets what
// still queues. Unix path: the path is withdrawn; abstract: shutdown, for good; for both, clients left in the queue are
// hung up on. An adopted listener is left alone: false.
bool refuse(Listener& listener);

// Whether `listen_again` can undo `refuse` for those who hold the socket: TCP, and a unix path that can be withdrawn.
// What is shut down instead is dead for them, and an adopted listener is never refused.
bool can_refuse_temporarily(const Listener& listener);

enum class Revival {
    revived,   // accepts again; every worker that holds it goes on as if nothing had happened
    reopened,  // a new socket is bound at the same name; living workers hold the dead one, the next launch gets this
    failed,    // errno says why; the listener is as dead as before
};

// Undoes `refuse`, and revives a listener that a worker shut down. TCP: listen() again, at the same port also where the
// kernel chose it. Unix: the path is linked back; a socket that was shut down does not revive, so a new one is bound at
// its name, and `fd` is another description afterwards: forget the old one (ListenerWatch) before. An abstract name is
// not free before every worker that holds the dead socket is gone (EADDRINUSE).
Revival listen_again(Listener& listener);

// Whether somebody has shut it down, ourselves included: nobody can connect.
bool is_shut_down(const Listener& listener);

// The backlog now in effect (workers rewrite it by calling listen() themselves: Node 511, asyncio 100), and how many
// clients wait in the queue. Nothing where the kernel does not tell.
struct Queue {
    int backlog = 0;
    int waiting = 0;
};
std::optional<Queue> inspect_queue(const Listener& listener);

// Sets `backlog` anew where it is known. False: errno says why.
bool restore_backlog(const Listener& listener);

// What can be changed while it is bound: the backlog (nothing: as large as the kernel allows), and mode, user and group
// of a unix path, which are taken from `like` (an empty user or group becomes our own).
Result<void> change_backlog(Listener& listener, std::optional<int> backlog);
Result<void> change_owner(Listener& listener, const ListenAddress& like);

// The kernel's limit: net.core.somaxconn.
int largest_backlog();

}  // namespace holdfast::os
