#include "resources.hpp"

#include <utility>

#include "complaint.hpp"

namespace holdfast {

void Resources::add(std::string name, std::function<void()> close) {
    const std::lock_guard lock(mutex_);
    open_.push_back({.name = std::move(name), .close = std::move(close), .since = Clock::now()});
}

Resources::Outcome Resources::close_all() {
    Outcome outcome = Outcome::closed;
    std::unique_lock lock(mutex_);
    while (!open_.empty()) {
        const auto close = std::move(open_.back().close);
        const std::string what = "cannot close " + open_.back().name;
        lock.unlock();
        if (call_or_complain(what, close) == Call::threw) outcome = Outcome::failed;
        lock.lock();
        open_.pop_back();
    }
    return outcome;
}

void Resources::describe(Clock::time_point now, std::vector<Waiting>& report) const {
    const std::lock_guard lock(mutex_);
    for (auto resource = open_.rbegin(); resource != open_.rend(); ++resource) {
        if (report.size() == max_waiting_entries) return;
        const auto age = std::chrono::duration_cast<std::chrono::microseconds>(now - resource->since);
        report.push_back({.kind = "resource", .name = resource->name, .age_usec = age.count()});
    }
}

}  // namespace holdfast
