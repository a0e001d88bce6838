#pragma once

#include <boost/asio/io_context.hpp>
#include <functional>
#include <vector>

#include "core/event.hpp"

namespace holdfast::runtime {

// Brings events into their written order. Every reader pushes; one posted handler delivers what had gathered by then,
// so all that one look at the kernel brought is sorted together: what workers said and how they ended, in the order in
// which it was pushed; then operators; then deadlines. Loop thread alone.
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
