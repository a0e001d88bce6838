#include "runtime/event_queue.hpp"

#include <algorithm>
#include <boost/asio/post.hpp>
#include <utility>

namespace holdfast::runtime {

namespace {

int rank(const core::Event& event) {
    if (std::holds_alternative<core::Asked>(event)) return 1;
    if (std::holds_alternative<core::Elapsed>(event)) return 2;
    return 0;
}

}  // namespace

void EventQueue::push(core::Event event) {
    events_.push_back(std::move(event));
    if (posted_ == Posted::yes) return;
    posted_ = Posted::yes;
    boost::asio::post(io_, [this] { run(); });
}

void EventQueue::run() {
    posted_ = Posted::no;
    auto events = std::exchange(events_, {});
    std::ranges::stable_sort(events, {}, rank);
    for (const auto& event : events) deliver_(event);
}

}  // namespace holdfast::runtime
