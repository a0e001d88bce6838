#include "work_items.hpp"

#include <iterator>
#include <string_view>
#include <utility>

#include "wire/wire.hpp"

namespace holdfast {

namespace {

constexpr std::string_view back_mark = " (handing back)";

std::string shown_name(const WorkState& item) {
    if (item.state != WorkState::State::handing_back) return item.name;
    return std::string(wire::cut(item.name, max_name_bytes - back_mark.size())).append(back_mark);
}

}  // namespace

void WorkItems::add(WorkState& item) {
    held_.push_back(&item);
    item.self = std::prev(held_.end());
}

bool WorkItems::claim(WorkState& item) {
    if (item.state == WorkState::State::held) item.state = WorkState::State::claimed;
    return item.state == WorkState::State::claimed;
}

void WorkItems::release(WorkState& item) {
    if (item.state == WorkState::State::claimed) remove(item);
}

WorkItems::Due WorkItems::begin_hand_back(WorkState& item) {
    if (item.state != WorkState::State::held) return {};
    item.state = WorkState::State::handing_back;
    return {item.shared_from_this()};
}

WorkItems::Due WorkItems::begin_hand_back_all() {
    Due due;
    for (WorkState* item : held_) {
        for (auto& one : begin_hand_back(*item)) due.push_back(std::move(one));
    }
    return due;
}

void WorkItems::end_hand_back(WorkState& item, HandBack result) {
    remove(item);
    ++(result == HandBack::done ? handed_back_ : lost_);
}

void WorkItems::remove(WorkState& item) {
    item.state = WorkState::State::gone;
    held_.erase(item.self);
}

void WorkItems::describe(Clock::time_point now, std::vector<Waiting>& report) const {
    std::size_t left = max_waiting_of_a_kind;
    for (const WorkState* item : held_) {
        if (left-- == 0) return;
        report.push_back(
            {.kind = "work",
             .name = shown_name(*item),
             .age_usec = std::chrono::duration_cast<std::chrono::microseconds>(now - item->since).count()});
    }
}

}  // namespace holdfast
