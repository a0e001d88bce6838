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

// Accepts connections on the given listening sockets, at most `limits.connections` at a time. At the limit, a new
// connection evicts the one that has been idle longest (slow to send its request or to read its response). A connection
// that waits for an outcome is not counted and is never evicted. Not thread-safe: use from the executor's thread.
class ConnectionManager : public std::enable_shared_from_this<ConnectionManager> {
  public:
    struct Limits {
        std::size_t connections;
        std::size_t max_unread_bytes;              // buffered responses; at the limit the slowest reader is closed
        std::chrono::milliseconds min_idle;        // a connection that has been idle for less is never evicted
        std::chrono::milliseconds emfile_backoff;  // delay before accepting again after EMFILE
        std::chrono::milliseconds close_timeout;   // of close_when_answered()
    };

    // Takes ownership of the listening sockets. Sets `config.on_state_change`.
    ConnectionManager(boost::asio::any_io_executor executor, const std::vector<int>& listening_fds,
                      ConnectionConfig config, Limits limits);

    void open();
    // Stops accepting, closes each connection when its pending response has been written, then posts `done`. Closes
    // what is left after close_timeout.
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
        std::list<Connection*>::iterator evictable_position;  // evictable_.end() while it waits for an outcome
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
    boost::asio::steady_timer timer_;  // end of a pause in accepting, or of close_timeout
    std::uint64_t timer_run_ = 0;
    PauseReason pause_reason_ = PauseReason::none;
    std::unordered_map<Connection*, Entry> connections_;
    std::list<Connection*> evictable_;  // connections that read or write, longest idle first
    std::size_t unread_bytes_ = 0;
    std::function<void()> done_;
};

}  // namespace holdfast::api
