#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>

#include "api/server/connection.hpp"

namespace holdfast::api {

// Sends server-sent events to one client until the client hangs up. The queue for a slow reader is bounded: events that
// do not fit are dropped, and an `events_dropped` event reports how many. There is no timeout for a slow reader.
class EventStream : public std::enable_shared_from_this<EventStream> {
  public:
    // At most `max_queue_bytes` are queued while as many more are being written. `closed` is called once.
    EventStream(Socket socket, std::size_t max_queue_bytes, std::function<void(EventStream&)> closed)
        : socket_(std::move(socket)), max_queue_bytes_(max_queue_bytes), closed_(std::move(closed)) {}

    void start();
    // Keeps the subscription that produces the events alive until the stream is closed.
    void keep_subscription(std::shared_ptr<void> subscription) { subscription_ = std::move(subscription); }
    void push(std::string_view event);
    // Events were dropped because the client does not read. A stalled stream may be evicted.
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
