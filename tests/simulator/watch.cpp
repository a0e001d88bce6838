#include "tests/simulator/watch.hpp"

#include <algorithm>

#include "tests/simulator/describe.hpp"

namespace holdfast::simulator {

using core::WorkerState;

void Watch::broken(int invariant, const std::string& what) {
    world_.violated("invariant " + std::to_string(invariant) + ": " + what);
}

void Watch::after_start() {
    highest_target_ = world_.status().target;
    check_workers();
    check_counts();
}

void Watch::after_event() {
    const auto* said = std::get_if<core::Said>(&world_.last_event());
    if (said != nullptr && find_seen(said->worker) != nullptr && (said->report.hello || said->report.ready))
        has_anyone_spoken_ = true;
    highest_target_ = std::max(highest_target_, world_.status().target);
    if (world_.status().phase == core::Phase::serving) has_served_ = true;
    note_who_got_ready();
    note_stop();
    note_asked();
    follow_rollout();
    check_backoff();
    check_workers();
    check_group_signal();
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
    return seen_.emplace_back(Seen{.id = worker.id, .state = worker.state, .since = world_.now()});
}

// Most steps log nothing of the kind, and this is asked of every worker: the actions are searched once.
void Watch::note_who_got_ready() {
    got_ready_.clear();
    for (const core::Action& action : world_.last_actions()) {
        const auto* note = std::get_if<core::Note>(&action);
        if (note == nullptr || !note->worker) continue;
        if (note->event == "worker_ready" || note->event == "worker_recalled") got_ready_.push_back(*note->worker);
    }
}

bool Watch::got_ready(WorkerId id) const {
    return std::find(got_ready_.begin(), got_ready_.end(), id) != got_ready_.end();
}

void Watch::enter(Seen& entry, WorkerState state) {
    entry.state = state;
    entry.since = world_.now();
    if (state == WorkerState::ready && !entry.first_ready) entry.first_ready = world_.now();
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

}  // namespace holdfast::simulator
