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

#include "api/connection.hpp"

namespace holdfast::api {

// Lets clients in by one or more listening sockets, and keeps their number small: whoever has owed us bytes for longest
// gives way to a newcomer when all places are taken. One that waits for an outcome takes no place and never gives way.
class Reception : public std::enable_shared_from_this<Reception> {
  public:
    struct Limits {
        std::size_t connections;
        std::size_t unread_bytes;            // of answers; who has not read his for longest gives way to a further one
        std::chrono::milliseconds patience;  // how long nobody has to give way
        std::chrono::milliseconds pause;     // until accepting is tried again where there was no descriptor
        std::chrono::milliseconds closing;
    };

    // The listening sockets are owned from now on. `host.changed` is set here.
    Reception(boost::asio::any_io_executor executor, const std::vector<int>& listening_fds, Host host, Limits limits);

    void open();
    void close_when_answered(std::function<void()> done);
    void close();

    std::size_t waiting() const { return connections_.size() - owing_.size(); }
    std::size_t unread_bytes() const { return unread_bytes_; }

  private:
    struct Door {
        boost::asio::posix::stream_descriptor socket;
        enum class State { idle, watched } state = State::idle;
    };
    struct Place {
        std::shared_ptr<Connection> connection;
        std::list<Connection*>::iterator in_owing;  // its end where it owes nothing
        std::size_t unread_bytes = 0;
    };
    enum class Blocked { no, crowded, without_descriptor, closing };

    void watch();
    void watch(Door& door);
    void admit(Door& door);
    void welcome(int fd);
    void make_room();
    void block(Blocked why, std::chrono::steady_clock::time_point until, std::function<void()> then);
    void unblock();
    void changed(Connection& connection);
    void limit_unread(const Connection& newest);
    void finish();

    boost::asio::any_io_executor executor_;
    Host host_;
    Limits limits_;
    std::list<Door> doors_;
    boost::asio::steady_timer timer_;  // of what blocks, or of the closing
    std::uint64_t timer_run_ = 0;
    Blocked blocked_ = Blocked::no;
    std::unordered_map<Connection*, Place> connections_;
    std::list<Connection*> owing_;  // who owes us bytes for longest first
    std::size_t unread_bytes_ = 0;
    std::function<void()> done_;
};

}  // namespace holdfast::api
