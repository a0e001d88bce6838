#pragma once

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/posix/stream_descriptor.hpp>
#include <boost/asio/steady_timer.hpp>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <list>
#include <memory>
#include <unordered_map>
#include <vector>

#include "api/server/connection.hpp"

namespace holdfast::api {

// Lets clients in by one or more listening sockets, and keeps their number small: whoever has owed us bytes for longest
// gives way to a newcomer when all places are taken. One that waits for an outcome takes no place and never gives way.
class ConnectionManager : public std::enable_shared_from_this<ConnectionManager> {
  public:
    struct Limits {
        std::size_t connections;
        std::size_t max_unread_bytes;        // of answers; who has not read his for longest gives way to a further one
        std::chrono::milliseconds min_idle;  // how long nobody has to give way
        std::chrono::milliseconds emfile_backoff;  // until accepting is tried again where there was no descriptor
        std::chrono::milliseconds close_timeout;
    };

    // The listening sockets are owned from now on. `config.on_state_change` is set here.
    ConnectionManager(boost::asio::any_io_executor executor, const std::vector<int>& listening_fds,
                      ConnectionConfig config, Limits limits);

    void open();
    void close_when_answered(std::function<void()> done);
    void close();

    std::size_t waiting() const { return connections_.size() - evictable_.size(); }
    std::size_t unread_bytes() const { return unread_bytes_; }

  private:
    struct ListeningSocket {
        boost::asio::posix::stream_descriptor socket;
        enum class State { idle, watched } state = State::idle;
    };
    struct Entry {
        std::shared_ptr<Connection> connection;
        std::list<Connection*>::iterator evictable_position;  // its end where it owes nothing
        std::size_t unread_bytes = 0;
    };
    enum class PauseReason { none, at_limit, out_of_descriptors, closing };

    void start_accepting();
    void start_accepting(ListeningSocket& listener);
    void accept(ListeningSocket& listener);
    void add_connection(int fd);
    void evict_oldest();
    void pause_accepting(PauseReason why, std::chrono::steady_clock::time_point until, std::function<void()> then);
    void resume_accepting();
    void on_state_change(Connection& connection);
    void enforce_unread_limit(const Connection& newest);
    void finish();

    boost::asio::any_io_executor executor_;
    ConnectionConfig config_;
    Limits limits_;
    std::list<ListeningSocket> listeners_;
    boost::asio::steady_timer timer_;  // of what blocks, or of the closing
    std::uint64_t timer_run_ = 0;
    PauseReason pause_reason_ = PauseReason::none;
    std::unordered_map<Connection*, Entry> connections_;
    std::list<Connection*> evictable_;  // who owes us bytes for longest first
    std::size_t unread_bytes_ = 0;
    std::function<void()> done_;
};

}  // namespace holdfast::api
