// The reports of the stage machine.

#include <algorithm>
#include <array>

#include "stage_machine.hpp"
#include "wire/wire.hpp"

namespace holdfast {

namespace {

constexpr std::chrono::milliseconds longest_interval{1000};
constexpr std::chrono::milliseconds shortest_interval{100};
constexpr std::chrono::seconds extension_step{5};  // requested when less time is left and requests finish

// The oldest of each kind first, then the second oldest of each, and so on: entries that do not fit are the least
// important.
std::vector<Waiting> by_age_rank(std::array<std::vector<Waiting>, 6> kinds) {
    std::vector<Waiting> all;
    for (std::size_t rank = 0; rank < max_waiting_of_a_kind; ++rank) {
        for (std::vector<Waiting>& kind : kinds) {
            if (rank < kind.size()) all.push_back(std::move(kind[rank]));
        }
    }
    return all;
}

// Once a second, and more often near the deadline, so that an extension is requested in time.
std::chrono::steady_clock::duration report_interval(std::optional<std::chrono::steady_clock::time_point> deadline,
                                                    std::chrono::steady_clock::time_point now) {
    using Interval = std::chrono::steady_clock::duration;
    if (!deadline) return longest_interval;
    return std::clamp<Interval>((*deadline - now) / 2, shortest_interval, longest_interval);
}

}  // namespace

DrainReport StageMachine::describe(Clock::time_point now) const {
    DrainReport report;
    report.stage = cancelled_ ? Stage::cancel : wanted_;
    if (deadline_) {
        report.remaining =
            std::chrono::duration_cast<std::chrono::microseconds>(std::max(*deadline_ - now, Clock::duration::zero()));
    }
    report.requests = request_registry_->held();
    report.served = request_registry_->served();
    report.sessions = sessions_.count();
    report.work = work_items_.count();
    report.handed_back = work_items_.handed_back();
    report.lost = work_items_.lost();
    report.failed = failed_;
    report.resources = resources_.open_count();
    std::array<std::vector<Waiting>, 6> kinds;
    request_registry_->describe(now, max_waiting_of_a_kind, kinds[0]);
    sessions_.describe(now, kinds[1]);
    report.tasks = tasks_.describe(now, kinds[2]);
    work_items_.describe(now, kinds[3]);
    resources_.describe(now, max_waiting_of_a_kind, kinds[4]);
    const auto add_callback = [&](std::string_view stage, Clock::time_point since) {
        kinds[5].push_back({.kind = "callback",
                            .name = std::string(stage),
                            .age_usec = std::chrono::duration_cast<std::chrono::microseconds>(now - since).count()});
    };
    if (!calling_.empty()) add_callback(calling_, calling_since_);
    if (cancel_running_since_) add_callback(wire::name_of(Stage::cancel), *cancel_running_since_);
    report.waiting = by_age_rank(std::move(kinds));
    return report;
}

DrainReport StageMachine::report() const {
    const std::lock_guard lock(mutex_);
    return describe(Clock::now());
}

Report StageMachine::make_report(Clock::time_point now) const {
    DrainReport state = describe(now);
    Report report;
    report.in_flight = state.requests;
    report.served = state.served;
    if (state.handed_back > 0) report.handed_back = state.handed_back;
    if (state.lost > 0) report.lost = state.lost;
    for (const auto& [kind, count] : {std::pair{"request", state.requests},
                                      {"session", state.sessions},
                                      {"task", state.tasks},
                                      {"work", state.work},
                                      {"resource", state.resources}}) {
        if (count > 0) report.held.push_back({.kind = kind, .count = count});
    }
    report.waiting = std::move(state.waiting);
    return report;
}

void StageMachine::send_state() { pipe_.send(make_report(Clock::now()), ControlPipe::Delivery::best_effort); }

std::optional<StageMachine::Clock::time_point> StageMachine::send_due_report() {
    Lock lock(mutex_);
    ensure_thread();
    log_unsaid(lock);
    const auto now = Clock::now();
    const bool lacks_thread = steps_ == Steps::own_thread && has_work() && !stage_thread_.joinable();
    const bool is_leaving = wanted_ == Stage::drain && !is_released();
    if (!lacks_thread && !is_leaving) {
        next_report_.reset();
        return std::nullopt;
    }
    if (!next_report_) {
        next_report_ = now + report_interval(deadline_, now);
        served_at_report_ = request_registry_->served();
    } else if (*next_report_ <= now) {
        next_report_ = now + report_interval(deadline_, now);
        Report report = make_report(now);
        report.extend_usec = extension(now);
        if (is_leaving) pipe_.send(report, ControlPipe::Delivery::best_effort);
        note_change();  // what depends on the age of requests is looked at again
    }
    const auto next_step = steps_ == Steps::advance ? next_step_time() : std::nullopt;
    return next_step ? std::min(*next_step, *next_report_) : next_report_;
}

// Requests an extension only if requests finish; time alone is not progress.
std::optional<std::int64_t> StageMachine::extension(Clock::time_point now) {
    const std::uint64_t before = std::exchange(served_at_report_, request_registry_->served());
    const bool progresses = served_at_report_ > before && request_registry_->held() > 0;
    if (!progresses || cancelled_ || !deadline_ || *deadline_ - now >= extension_step) return std::nullopt;
    return std::chrono::microseconds(extension_step).count();
}

}  // namespace holdfast
