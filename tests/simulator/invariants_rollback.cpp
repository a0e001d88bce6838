// Invariant 6, and what an operator or a failure takes back: what makes a rollout harmless.

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

std::optional<WorkerId> who_is_told(const core::Action& action) {
    if (const auto* tell = std::get_if<core::Tell>(&action)) return tell->worker;
    if (const auto* signal = std::get_if<core::Signal>(&action)) return signal->worker;
    return std::nullopt;
}

std::string name_of(WorkerId id) { return "worker #" + std::to_string(id.value); }

}  // namespace

// It served the former generation before this step, and nobody wanted it to go.
bool InvariantChecker::is_old_one(WorkerId id) const {
    const auto* before = find_worker(world_.before(), id);
    return before != nullptr && before->generation == rollout_->former && before->state == WorkerState::ready &&
           !is_about(id) && !is_given_up(id);
}

bool InvariantChecker::can_pause(WorkerId id) const {
    const FakeWorker* real = world_.find(id);
    return real != nullptr && real->hears_stages() && real->script.stages.has(Stage::pause) &&
           real->script.stages.has(Stage::run);
}

// Before the commit point a failure, a veto or an undo costs the former generation nothing.
void InvariantChecker::check_untouched() {
    if (!rollout_ || rollout_->is_committed || !rollout_->is_undisturbed || rollout_->is_new) return;
    if (world_.status().phase == Phase::stopping || !rollout_->is_whole) return;
    for (const core::Action& action : world_.last_actions()) {
        const auto told = who_is_told(action);
        if (told && is_old_one(*told))
            report_violation(6,
                             name_of(*told) + " of the former generation was told something before the commit point");
    }
}

// Until it is over, old workers that can be paused are, and stay so.
void InvariantChecker::check_probation() {
    if (!rollout_ || !rollout_->is_undisturbed || rollout_->has_passed) return;
    const Phase phase = world_.status().phase;
    if (policies_->tight.probation == Duration{} || (phase != Phase::rolling_out && phase != Phase::probation)) return;
    for (const core::WorkerStatus& was : world_.before().workers) {
        const bool could_stay = was.state == WorkerState::paused ? !was.deadline || *was.deadline > world_.now()
                                                                 : was.state == WorkerState::ready;
        if (was.generation != rollout_->former || !could_stay || is_about(was.id) || is_given_up(was.id) ||
            !can_pause(was.id))
            continue;
        const auto* is = find_worker(world_.status(), was.id);
        if (is != nullptr && is->state == WorkerState::draining)
            report_violation(
                6, name_of(was.id) + " was told to drain, and could have been paused until the end of probation");
    }
}

// Who is paused comes back: nothing is launched in its place.
void InvariantChecker::check_return() {
    const bool goes_back = world_.status().phase == Phase::rolling_back && world_.before().phase != Phase::rolling_back;
    if (!rollout_ || !goes_back || !rollout_->is_undisturbed) return;
    for (const core::WorkerStatus& was : world_.before().workers) {
        if (was.generation != rollout_->former || was.state != WorkerState::paused || is_about(was.id) ||
            is_given_up(was.id))
            continue;
        if (!can_pause(was.id) || (was.deadline && *was.deadline <= world_.now())) continue;
        if (is_launched_now(was.slot))
            report_violation(6, name_of(was.id) + " is paused, and another one is launched for it");
        const auto* real = world_.find(was.id);
        if (real->told != Stage::run)
            report_violation(6, name_of(was.id) + " is paused, and was not told to run again");
    }
}

// What was undone is gone: as many serve as should, and none of the generation that came.
void InvariantChecker::check_undo_done(const testing::FakeRequest& ask, const Asked& asked) {
    if (world_.status().phase == Phase::stopping) report_violation(9, "undo done, but the service is being stopped");
    std::set<std::uint64_t> slots;
    for (const auto& worker : serving(ask.id)) {
        slots.insert(worker.slot.value);
        if (asked.is_of_rollout && worker.generation == asked.undone)
            report_violation(9, "undo done, but " + name_of(worker.id) + " of the generation that was undone serves");
    }
    const int target = std::min(world_.status().target, world_.before().target);
    const bool was_checking = asked.is_of_rollout && !rollout_ && asked.heard_at == ask.answered_at;
    if (!was_checking && static_cast<int>(slots.size()) < target)
        report_violation(9, "undo done, but only " + std::to_string(slots.size()) + " slots serve");
}

// Who is silent longer than the watchdog allows is given up; who is not, is not.
void InvariantChecker::check_silence() {
    const bool is_elapsed = std::holds_alternative<core::Elapsed>(world_.last_event());
    for (const core::WorkerStatus& worker : world_.status().workers) {
        if (is_elapsed && worker.state == WorkerState::ready && worker.silent_until &&
            *worker.silent_until <= world_.now())
            report_violation(7, name_of(worker.id) + " is silent, and nobody gives it up");
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
            report_violation(7, name_of(*note->worker) + " was given up as silent, but it spoke all the time");
    }
}

}  // namespace holdfast::simulator
