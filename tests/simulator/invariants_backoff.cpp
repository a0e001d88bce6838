// Backoff after crashes, its reset, and the filling of empty slots.

#include <algorithm>

#include "tests/simulator/invariant_checker.hpp"

namespace holdfast::simulator {

using core::WorkerState;

namespace {

const core::SlotStatus* find_slot(const core::Status& status, SlotId slot) {
    const auto found =
        std::find_if(status.slots.begin(), status.slots.end(), [&](const auto& entry) { return entry.slot == slot; });
    return found == status.slots.end() ? nullptr : &*found;
}

}  // namespace

// Whether the worker exited in this step without a request. `worker` is its status before the step.
bool InvariantChecker::has_crashed_now(const core::WorkerStatus& worker) const {
    const auto& event = world_.last_event();
    const bool is_end = std::holds_alternative<core::Exited>(event) ||
                        std::holds_alternative<core::SpawnFailed>(event) ||
                        std::holds_alternative<core::MainExited>(event);
    const bool was_staying = worker.state == WorkerState::starting || worker.state == WorkerState::ready;
    return is_end && was_staying && is_about(worker.id);
}

bool InvariantChecker::is_launched_now(SlotId slot) const {
    const auto& actions = world_.last_actions();
    return std::any_of(actions.begin(), actions.end(), [&](const core::Action& action) {
        const auto* spawn = std::get_if<core::Spawn>(&action);
        return spawn != nullptr && spawn->slot == slot;
    });
}

// Whether a worker of the slot crashed or failed in this step, which sets a new time for the next attempt.
bool InvariantChecker::has_lost_worker(SlotId slot) const {
    const auto& workers = world_.before().workers;
    return std::any_of(workers.begin(), workers.end(), [&](const auto& worker) {
        return worker.slot == slot && (has_crashed_now(worker) || has_failed_now(worker.id));
    });
}

// From the second crash in a row on, the next launch is delayed. Ten seconds of being ready, or a new request, reset
// the count.
void InvariantChecker::check_backoff() {
    const auto& actions = world_.last_actions();
    const bool is_reset = std::any_of(actions.begin(), actions.end(), [](const core::Action& action) {
        const auto* note = std::get_if<core::Note>(&action);
        return note != nullptr &&
               (note->event == "rollout_started" || note->event == "scale_started" || note->event == "stop_undone");
    });
    // A worker that stops on its own initiative is replaced at once.
    const auto* said = std::get_if<core::Said>(&world_.last_event());
    const bool is_own_stop = said != nullptr && (said->report.watchdog || said->report.stopping ||
                                                 said->report.releasing || said->report.drained);
    if (is_reset || is_own_stop) return;
    for (const core::SlotStatus& slot : world_.before().slots)
        if (slot.next_attempt && *slot.next_attempt > world_.now() && is_launched_now(slot.slot) &&
            !has_lost_worker(slot.slot))
            report_violation(7,
                             "slot " + std::to_string(slot.slot.value) + " is launched before its next attempt is due");
    for (const core::WorkerStatus& worker : world_.before().workers)
        if (has_crashed_now(worker)) check_crash(worker);
}

void InvariantChecker::check_crash(const core::WorkerStatus& worker) {
    const Seen* known = find_seen(worker.id);
    const core::SlotStatus* before = find_slot(world_.before(), worker.slot);
    const core::SlotStatus* after = find_slot(world_.status(), worker.slot);
    if (known == nullptr || before == nullptr || after == nullptr) return;
    const bool is_reset = known->first_ready && world_.now() >= *known->first_ready + core::backoff_reset_after;
    const std::string slot = "slot " + std::to_string(worker.slot.value);
    if (is_reset && after->crashes_in_a_row > 1) report_violation(7, slot + " counts crashes from before the reset");
    if (!is_reset && before->crashes_in_a_row > 0 && is_launched_now(worker.slot))
        report_violation(
            7, slot + " is launched again at once after " + std::to_string(before->crashes_in_a_row + 1) + " crashes");
}

// Without a rollout, a slot is only empty until the time of its next attempt.
void InvariantChecker::check_empty_slots() {
    const core::Status& status = world_.status();
    if (status.phase != core::Phase::serving && status.phase != core::Phase::scaling) return;
    for (const core::SlotStatus& slot : status.slots) {
        if (slot.slot.value >= static_cast<std::uint64_t>(status.target) || slot.next_attempt) continue;
        const bool is_held = std::ranges::any_of(status.workers, [&](const core::WorkerStatus& worker) {
            const bool stays = worker.state == WorkerState::starting || worker.state == WorkerState::ready ||
                               worker.state == WorkerState::paused ||
                               worker.recall == core::WorkerStatus::Recall::awaited;
            return worker.slot == slot.slot && stays;
        });
        if (!is_held)
            report_violation(7, "slot " + std::to_string(slot.slot.value) + " is empty and has no next attempt");
    }
}

}  // namespace holdfast::simulator
