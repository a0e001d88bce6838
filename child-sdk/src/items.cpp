#include "items.hpp"

#include <iterator>
#include <utility>

namespace holdfast {

void Items::add(WorkState& item) {
    held_.push_back(&item);
    item.self = std::prev(held_.end());
}

bool Items::finish(WorkState& item) {
    if (!std::exchange(item.is_held, false)) return false;
    held_.erase(item.self);
    return true;
}

std::vector<HandBack> Items::hand_back(WorkState& item) {
    std::vector<HandBack> calls;
    if (!finish(item)) return calls;
    ++handed_back_;
    calls.push_back({.name = item.name, .function = std::move(item.hand_back)});
    return calls;
}

std::vector<HandBack> Items::hand_back_all() {
    std::vector<HandBack> calls;
    while (!held_.empty()) {
        for (HandBack& call : hand_back(*held_.front())) calls.push_back(std::move(call));
    }
    return calls;
}

void Items::describe(Clock::time_point now, std::vector<Waiting>& report) const {
    std::size_t left = max_waiting_of_a_kind;
    for (const WorkState* item : held_) {
        if (left-- == 0) return;
        report.push_back(
            {.kind = "work",
             .name = item->name,
             .age_usec = std::chrono::duration_cast<std::chrono::microseconds>(now - item->since).count()});
    }
}

}  // namespace holdfast
