// Invariant 6: a rollout that fails or is undone leaves the former generation serving. Also checks the watchdog.

#include <algorithm>
#include <set>

#include "tests/simulator/describe.hpp"
#include "tests/simulator/invariant_checker.hpp"
#include "tests/simulator/status_queries.hpp"

namespace holdfast::simulator {

using core::Phase;
using core::WorkerState;
using testing::FakeWorker;

namespace {

std::optional<WorkerId> recipient_of(const core::Action& action) {
    if (const auto* tell = std::get_if<core::Tell>(&action)) return tell->worker;
    if (const auto* signal = std::get_if<core::Signal>(&action)) return signal->worker;
    return std::nullopt;
}

std::string name_of(WorkerId id) { return "worker #" + std::to_string(id.value); }

}  // namespace

// Whether the worker was a ready one of the former generation before this step, and the step is not about it.
bool InvariantChecker::is_former_worker(WorkerId id) const {
    const auto* before = find_worker(world_.before(), id);
    return before != nullptr && before->generation == rollout_->former && before->state == WorkerState::ready &&
           !is_about(id) && !has_failed_now(id);
}

bool InvariantChecker::can_pause(WorkerId id) const {
    const FakeWorker* real = world_.find(id);
    return real != nullptr && real->receives_stages() && real->script.stages.has(Stage::pause) &&
           real->script.stages.has(Stage::run);
}

// Before the commit a failure, a veto or an undo does not affect the former generation.
void InvariantChecker::check_before_commit() {
    if (!rollout_ || rollout_->is_committed || !rollout_->is_undisturbed || rollout_->is_new) return;
    if (world_.status().phase == Phase::stopping || !rollout_->has_full_surge) return;
    for (const core::Action& action : world_.last_actions()) {
        const auto recipient = recipient_of(action);
        if (recipient && is_former_worker(*recipient))
            report_violation(
                6, name_of(*recipient) + " of the former generation received a stage or signal before the commit");
    }
}

// Until the end of the probation, old workers that can be paused are paused.
void InvariantChecker::check_probation() {
    if (!rollout_ || !rollout_->is_undisturbed || rollout_->has_passed) return;
    const Phase phase = world_.status().phase;
    if (policies_->tight.probation == Duration{} || (phase != Phase::rolling_out && phase != Phase::probation)) return;
    for (const core::WorkerStatus& was : world_.before().workers) {
        const bool could_stay = was.state == WorkerState::paused ? !was.deadline || *was.deadline > world_.now()
                                                                 : was.state == WorkerState::ready;
        if (was.generation != rollout_->former || !could_stay || is_about(was.id) || has_failed_now(was.id) ||
            !can_pause(was.id))
            continue;
        const auto* is = find_worker(world_.status(), was.id);
        if (is != nullptr && is->state == WorkerState::draining)
            report_violation(6,
                             name_of(was.id) + " was drained, but could have been paused until the end of probation");
    }
}

// In a rollback paused workers are recalled, and no worker is launched in their place.
void InvariantChecker::check_recalls() {
    const bool goes_back = world_.status().phase == Phase::rolling_back && world_.before().phase != Phase::rolling_back;
    if (!rollout_ || !goes_back || !rollout_->is_undisturbed) return;
    for (const core::WorkerStatus& was : world_.before().workers) {
        if (was.generation != rollout_->former || was.state != WorkerState::paused || is_about(was.id) ||
            has_failed_now(was.id))
            continue;
        if (!can_pause(was.id) || (was.deadline && *was.deadline <= world_.now())) continue;
        if (is_launched_now(was.slot))
            report_violation(6, name_of(was.id) + " is paused, but another worker is launched in its slot");
        const auto* real = world_.find(was.id);
        if (real->last_stage != Stage::run) report_violation(6, name_of(was.id) + " is paused, but was not recalled");
    }
}

// After an undo all slots are served, and none by the generation that was undone.
void InvariantChecker::check_undo_done(const testing::FakeRequest& ask, const Asked& asked) {
    if (world_.status().phase == Phase::stopping) report_violation(9, "undo done, but the service is being stopped");
    std::set<std::uint64_t> slots;
    for (const auto& worker : serving(ask.id)) {
        slots.insert(worker.slot.value);
        if (asked.is_of_rollout && worker.generation == asked.undone)
            report_violation(9, "undo done, but " + name_of(worker.id) + " of the generation that was undone serves");
    }
    const int target = std::min(world_.status().target, world_.before().target);
    const bool was_checking = asked.is_of_rollout && !rollout_ && asked.delivered_at == ask.answered_at;
    if (!was_checking && static_cast<int>(slots.size()) < target)
        report_violation(9, "undo done, but only " + std::to_string(slots.size()) + " slots serve");
}

// A worker fails if and only if its watchdog has expired.
void InvariantChecker::check_watchdog() {
    const bool is_elapsed = std::holds_alternative<core::Elapsed>(world_.last_event());
    for (const core::WorkerStatus& worker : world_.status().workers) {
        if (is_elapsed && worker.state == WorkerState::ready && worker.silent_until &&
            *worker.silent_until <= world_.now())
            report_violation(7, name_of(worker.id) + " exceeded its watchdog and was not failed");
    }
    for (const core::Action& action : world_.last_actions()) {
        const auto* note = std::get_if<core::Note>(&action);
        if (note == nullptr || note->event != "worker_crashed") continue;
        if (note->text.find("missed its watchdog") == std::string::npos) continue;
        const FakeWorker* real = world_.find(*note->worker);
        const auto& script = real->script;
        const Duration age = world_.now() - real->spawned_at.value_or(world_.now());
        const bool is_beating = script.heartbeat_every > Duration{} && script.messaging != testing::Messaging::silent &&
                                (!script.stops_heartbeat_after || age < *script.stops_heartbeat_after) &&
                                !real->has_lost_channel;
        if (is_beating && world_.policy().watchdog >= script.heartbeat_every * 2)
            report_violation(7, name_of(*note->worker) + " was failed by its watchdog, but sent all heartbeats");
    }
}

}  // namespace holdfast::simulator
