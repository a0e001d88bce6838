// Invariants 3, 4 and 6: how many serve, of which generations, and what a rollout may do to them.

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

// Live workers: those that come and those that serve. Whoever drains or is paused is not counted.
void InvariantChecker::check_counts() {
    const core::Status& status = world_.status();
    const int target = std::max(status.target, world_.before().target);
    int surge = is_rollout(status.phase) || is_rollout(world_.before().phase) ? policies_->most_surge(target) : 0;
    // Who was paused for a probation comes back without a launch: there was room for it all the time.
    const bool is_back = status.phase == Phase::rolling_back || world_.before().phase == Phase::rolling_back;
    if (is_back && policies_->loose.probation > Duration{}) surge = std::max(surge, target);
    int live = 0;
    for (const auto& worker : status.workers) {
        const bool is_live = worker.state == WorkerState::starting || worker.state == WorkerState::ready;
        if (is_live) ++live;
        if (!is_live || worker.state != WorkerState::starting) continue;
        // One rollout at a time: whoever comes is of the newest generation, or brings back the one before.
        if (goes_forward(status.phase) && rollout_ && worker.generation > rollout_->generation)
            report_violation(4, "a third generation comes");
    }
    if (live > target + surge)
        report_violation(3, std::to_string(live) + " live workers, target " + std::to_string(target) + ", surge " +
                                std::to_string(surge));
}

void InvariantChecker::begin_rollout() {
    const core::Status& before = world_.before();
    Rollout rollout;
    rollout.target = world_.status().target;
    rollout.is_whole = policies_->least_surge(rollout.target) >= rollout.target;
    for (const core::Action& action : world_.last_actions())
        if (const auto* prepare = std::get_if<core::Prepare>(&action)) rollout.generation = prepare->generation;
    rollout.former = world_.status().generation;
    const auto ready = std::count_if(before.workers.begin(), before.workers.end(),
                                     [](const auto& worker) { return worker.state == WorkerState::ready; });
    rollout.is_healthy = ready == rollout.target && before.phase != Phase::rolling_back;
    rollout_ = rollout;
}

void InvariantChecker::follow_rollout() {
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
        const bool waits = std::holds_alternative<core::Restart>(what) || std::holds_alternative<core::Reload>(what) ||
                           std::holds_alternative<core::Rollback>(what) || std::holds_alternative<core::Undo>(what);
        if (!waits) rollout_->is_undisturbed = false;
    }
    for (const auto& worker : world_.before().workers) {
        const auto* after = find_worker(world_.status(), worker.id);
        const bool is_lost = counts(worker) && (is_about(worker.id) || is_given_up(worker.id)) &&
                             (after == nullptr || after->state != WorkerState::ready);
        if (is_lost) rollout_->is_healthy = false;
    }
    if (is == Phase::probation) rollout_->was_in_probation = true;
    if (is == Phase::rolling_out && rollout_->was_in_probation) rollout_->has_passed = true;
    check_failure();
    if (!rollout_->is_new) check_commit();
    rollout_->is_new = false;
    check_floor();
}

// Any end of a new worker that nobody asked for, before the rollout is answered, fails it.
void InvariantChecker::check_failure() {
    const bool goes_on = goes_forward(world_.before().phase) && goes_forward(world_.status().phase);
    if (!goes_on || rollout_->is_new || rollout_->has_passed) return;
    for (const auto& worker : world_.before().workers)
        if (worker.generation == rollout_->generation && has_ended_unasked(worker))
            report_violation(6, "worker #" + std::to_string(worker.id.value) +
                                    " of the new generation ended, and the rollout goes on");
}

// An old worker that is ready counts, and a new one that has settled; on the way back any that is ready.
bool InvariantChecker::counts(const core::WorkerStatus& worker) const {
    const bool is_back = world_.status().phase == Phase::rolling_back;
    const bool is_old = worker.generation < rollout_->generation;
    return worker.state == WorkerState::ready && (worker.settled || is_old || is_back);
}

void InvariantChecker::check_floor() {
    if (!rollout_->is_healthy || !rollout_->is_undisturbed) return;
    const auto& workers = world_.status().workers;
    const auto ready =
        std::count_if(workers.begin(), workers.end(), [&](const auto& worker) { return counts(worker); });
    const int floor = rollout_->target - policies_->most_unavailable(rollout_->target);
    if (ready < floor)
        report_violation(3, std::to_string(ready) + " ready workers in a rollout of " +
                                std::to_string(rollout_->target) + ", at least " + std::to_string(floor) +
                                " were promised");
}

// Where all new workers fit beside the old ones, nobody old is told to leave before all new ones have settled.
void InvariantChecker::check_commit() {
    if (!rollout_->is_undisturbed || rollout_->is_committed) return;
    if (!goes_forward(world_.before().phase) && !goes_forward(world_.status().phase)) return;
    bool is_old_told = false;
    for (const auto& worker : world_.before().workers) {
        if (worker.generation >= rollout_->generation || worker.state != WorkerState::ready || is_about(worker.id) ||
            is_given_up(worker.id))
            continue;
        const auto* after = find_worker(world_.status(), worker.id);
        if (after != nullptr && after->state != WorkerState::ready) is_old_told = true;
    }
    if (!is_old_told) return;
    rollout_->is_committed = true;
    if (!rollout_->is_whole) return;
    int settled = 0;
    for (const auto& worker : world_.status().workers)
        if (worker.generation == rollout_->generation && worker.state == WorkerState::ready && worker.settled)
            ++settled;
    if (settled < rollout_->target)
        report_violation(6, "an old worker was told to leave when " + std::to_string(settled) + " of " +
                                std::to_string(rollout_->target) + " new ones had settled");
}

}  // namespace holdfast::simulator
