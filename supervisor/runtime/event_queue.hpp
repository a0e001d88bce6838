#pragma once

#include <boost/asio/io_context.hpp>
#include <functional>
#include <vector>

#include "core/event.hpp"

namespace holdfast::runtime {

// Delivers events in their specified order. All readers push their events; one posted handler delivers everything that
// has been queued by then, so all events of one wake-up are sorted together: first messages and exits of workers in the
// order in which they were pushed, then requests of operators, then deadlines. Not thread-safe: use from the loop's
// thread.
class EventQueue {
  public:
    using Deliver = std::function<void(const core::Event&)>;
    EventQueue(boost::asio::io_context& io, Deliver deliver) : io_(io), deliver_(std::move(deliver)) {}

    void push(core::Event event);

  private:
    enum class Posted { yes, no };
    void run();

    boost::asio::io_context& io_;
    Deliver deliver_;
    std::vector<core::Event> events_;
    Posted posted_ = Posted::no;
};

}  // namespace holdfast::runtime
