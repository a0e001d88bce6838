#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>

#include "api/server/connection.hpp"

namespace holdfast::api {

// Server-sent events to one client, until it hangs up. One that reads too slowly has a bounded queue; what does not fit
// is dropped, and one event says how many there were. No timer: it may take its time.
class EventStream : public std::enable_shared_from_this<EventStream> {
  public:
    // `max_queue_bytes` wait at most, and as many are under way. `closed` is called once.
    EventStream(Socket socket, std::size_t max_queue_bytes, std::function<void(EventStream&)> closed)
        : socket_(std::move(socket)), max_queue_bytes_(max_queue_bytes), closed_(std::move(closed)) {}

    void start();
    // Holds what makes events come.
    void keep_subscription(std::shared_ptr<void> subscription) { subscription_ = std::move(subscription); }
    void push(std::string_view event);
    // Its client does not read: it is the first to give way.
    bool is_stalled() const { return dropped_ > 0; }
    void close_when_written();
    void close();

  private:
    enum class State { open, closing, closed };
    void write();
    void report_dropped();

    Socket socket_;
    std::size_t max_queue_bytes_;
    std::function<void(EventStream&)> closed_;
    std::shared_ptr<void> subscription_;
    State state_ = State::open;
    std::string queue_, in_flight_;
    std::uint64_t dropped_ = 0;
};

}  // namespace holdfast::api
