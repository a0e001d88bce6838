#include "tests/simulator/watch.hpp"

#include <algorithm>

#include "tests/simulator/describe.hpp"

namespace holdfast::simulator {

using core::WorkerState;

void Watch::broken(int invariant, const std::string& what) {
    world_.violated("invariant " + std::to_string(invariant) + ": " + what);
}

void Watch::after_start() {
    started_at_ = world_.now();
    highest_target_ = world_.status().target;
    check_workers();
    check_counts();
}

void Watch::after_event() {
    const auto* said = std::get_if<core::Said>(&world_.last_event());
    if (said != nullptr && find_seen(said->worker) != nullptr && (said->report.hello || said->report.ready))
        has_anyone_spoken_ = true;
    highest_target_ = std::max(highest_target_, world_.status().target);
    note_stop();
    note_asked();
    follow_rollout();
    check_workers();
    check_group_signal();
    check_backoff();
    check_counts();
    check_doors();
    check_answers();
    check_overdue();
    check_exit_code();
    forget_the_gone();
}

const Watch::Seen* Watch::find_seen(WorkerId id) const {
    const auto found = std::find_if(seen_.begin(), seen_.end(), [&](const Seen& entry) { return entry.id == id; });
    return found == seen_.end() ? nullptr : &*found;
}

Watch::Seen& Watch::seen(const core::WorkerStatus& worker) {
    const auto found =
        std::find_if(seen_.begin(), seen_.end(), [&](const Seen& entry) { return entry.id == worker.id; });
    if (found != seen_.end()) return *found;
    return seen_.emplace_back(Seen{worker.id, worker.state, world_.now()});
}

bool Watch::is_noted(std::string_view event, WorkerId id) const {
    const auto& actions = world_.last_actions();
    return std::any_of(actions.begin(), actions.end(), [&](const core::Action& action) {
        const auto* note = std::get_if<core::Note>(&action);
        return note != nullptr && note->event == event && note->worker == id;
    });
}

void Watch::forget_the_gone() {
    const auto& workers = world_.status().workers;
    std::erase_if(seen_, [&](const Seen& entry) {
        return std::none_of(workers.begin(), workers.end(), [&](const auto& worker) { return worker.id == entry.id; });
    });
}

bool Watch::is_about(WorkerId id) const {
    return std::visit(
        [&](const auto& event) {
            if constexpr (requires { event.worker; }) return event.worker == id;
            return false;
        },
        world_.last_event());
}

bool Watch::is_by_itself() const {
    const auto& event = world_.last_event();
    return !std::holds_alternative<core::Asked>(event) && !std::holds_alternative<core::Elapsed>(event);
}

}  // namespace holdfast::simulator
