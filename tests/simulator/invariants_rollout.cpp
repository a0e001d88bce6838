// Invariants 3, 4 and 6: the number of workers, their generations, and the effects of a rollout on them.

#include <algorithm>

#include "tests/simulator/describe.hpp"
#include "tests/simulator/invariant_checker.hpp"
#include "tests/simulator/status_queries.hpp"

namespace holdfast::simulator {

using core::Phase;
using core::WorkerState;

namespace {

bool is_rollout(Phase phase) {
    return phase == Phase::rolling_out || phase == Phase::rolling_back || phase == Phase::probation;
}

bool goes_forward(Phase phase) { return phase == Phase::rolling_out || phase == Phase::probation; }

}  // namespace

// Live workers are the starting and the ready ones. Draining and paused workers do not count.
void InvariantChecker::check_counts() {
    const core::Status& status = world_.status();
    const int target = std::max(status.target, world_.before().target);
    int surge = is_rollout(status.phase) || is_rollout(world_.before().phase) ? policies_->most_surge(target) : 0;
    // Workers that were paused for a probation are recalled without regard to max_surge: they already exist.
    const bool is_back = status.phase == Phase::rolling_back || world_.before().phase == Phase::rolling_back;
    if (is_back && policies_->loose.probation > Duration{}) surge = std::max(surge, target);
    int live = 0;
    for (const auto& worker : status.workers) {
        const bool is_live = worker.state == WorkerState::starting || worker.state == WorkerState::ready;
        if (is_live) ++live;
        if (!is_live || worker.state != WorkerState::starting) continue;
        // One rollout at a time: a starting worker is of the newest or of the former generation.
        if (goes_forward(status.phase) && rollout_ && worker.generation > rollout_->generation)
            report_violation(4, "a third generation is launched");
    }
    if (live > target + surge)
        report_violation(3, std::to_string(live) + " live workers, target " + std::to_string(target) + ", surge " +
                                std::to_string(surge));
}

void InvariantChecker::begin_rollout() {
    const core::Status& before = world_.before();
    Rollout rollout;
    rollout.target = world_.status().target;
    rollout.has_full_surge = policies_->least_surge(rollout.target) >= rollout.target;
    for (const core::Action& action : world_.last_actions())
        if (const auto* prepare = std::get_if<core::Prepare>(&action)) rollout.generation = prepare->generation;
    rollout.former = world_.status().generation;
    const auto ready = std::count_if(before.workers.begin(), before.workers.end(),
                                     [](const auto& worker) { return worker.state == WorkerState::ready; });
    rollout.is_healthy = ready == rollout.target && before.phase != Phase::rolling_back;
    rollout_ = rollout;
}

void InvariantChecker::update_rollout() {
    const Phase is = world_.status().phase;
    const auto& actions = world_.last_actions();
    const bool is_begun = std::any_of(actions.begin(), actions.end(), [](const core::Action& action) {
        return std::holds_alternative<core::Prepare>(action);
    });
    if (is_begun) begin_rollout();
    if (!is_rollout(is)) rollout_.reset();
    if (!rollout_) return;
    if (const auto* asked = std::get_if<core::Asked>(&world_.last_event())) {
        const auto& what = asked->request.what;
        const bool is_queued = std::holds_alternative<core::Restart>(what) ||
                               std::holds_alternative<core::Reload>(what) ||
                               std::holds_alternative<core::Rollback>(what) || std::holds_alternative<core::Undo>(what);
        if (!is_queued) rollout_->is_undisturbed = false;
    }
    for (const auto& worker : world_.before().workers) {
        const auto* after = find_worker(world_.status(), worker.id);
        const bool is_lost = is_dependable(worker) && (is_about(worker.id) || has_failed_now(worker.id)) &&
                             (after == nullptr || after->state != WorkerState::ready);
        if (is_lost) rollout_->is_healthy = false;
    }
    if (is == Phase::probation) rollout_->was_in_probation = true;
    if (is == Phase::rolling_out && rollout_->was_in_probation) rollout_->has_passed = true;
    check_failure();
    if (!rollout_->is_new) check_commit();
    rollout_->is_new = false;
    check_unavailable();
}

// An unrequested exit of a new worker before the answer fails the rollout.
void InvariantChecker::check_failure() {
    const bool goes_on = goes_forward(world_.before().phase) && goes_forward(world_.status().phase);
    if (!goes_on || rollout_->is_new || rollout_->has_passed) return;
    for (const auto& worker : world_.before().workers)
        if (worker.generation == rollout_->generation && has_crashed_now(worker))
            report_violation(6, "worker #" + std::to_string(worker.id.value) +
                                    " of the new generation exited, but the rollout continues");
}

// Whether the worker counts for max_unavailable: a ready old worker, or a settled new one; in a rollback any ready one.
bool InvariantChecker::is_dependable(const core::WorkerStatus& worker) const {
    const bool is_back = world_.status().phase == Phase::rolling_back;
    const bool is_old = worker.generation < rollout_->generation;
    return worker.state == WorkerState::ready && (worker.settled || is_old || is_back);
}

void InvariantChecker::check_unavailable() {
    if (!rollout_->is_healthy || !rollout_->is_undisturbed) return;
    const auto& workers = world_.status().workers;
    const auto ready =
        std::count_if(workers.begin(), workers.end(), [&](const auto& worker) { return is_dependable(worker); });
    const int least = rollout_->target - policies_->most_unavailable(rollout_->target);
    if (ready < least)
        report_violation(3, std::to_string(ready) + " ready workers in a rollout of " +
                                std::to_string(rollout_->target) + ", at least " + std::to_string(least) +
                                " are required");
}

// If all new workers fit beside the old ones, no old worker is asked to leave before all new ones have settled.
void InvariantChecker::check_commit() {
    if (!rollout_->is_undisturbed || rollout_->is_committed) return;
    if (!goes_forward(world_.before().phase) && !goes_forward(world_.status().phase)) return;
    bool has_old_left = false;
    for (const auto& worker : world_.before().workers) {
        if (worker.generation >= rollout_->generation || worker.state != WorkerState::ready || is_about(worker.id) ||
            has_failed_now(worker.id))
            continue;
        const auto* after = find_worker(world_.status(), worker.id);
        if (after != nullptr && after->state != WorkerState::ready) has_old_left = true;
    }
    if (!has_old_left) return;
    rollout_->is_committed = true;
    if (!rollout_->has_full_surge) return;
    int settled = 0;
    for (const auto& worker : world_.status().workers)
        if (worker.generation == rollout_->generation && worker.state == WorkerState::ready && worker.settled)
            ++settled;
    if (settled < rollout_->target)
        report_violation(6, "an old worker was asked to leave when " + std::to_string(settled) + " of " +
                                std::to_string(rollout_->target) + " new workers had settled");
}

}  // namespace holdfast::simulator
