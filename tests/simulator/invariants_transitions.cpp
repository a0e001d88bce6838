// Invariants 2 and 7 for each worker: the order and the duration of its states.

#include <algorithm>
#include <utility>

#include "tests/simulator/bounds.hpp"
#include "tests/simulator/describe.hpp"
#include "tests/simulator/invariant_checker.hpp"

namespace holdfast::simulator {

using core::WorkerState;
using testing::FakeWorker;

namespace {

std::string label(const core::WorkerStatus& worker) {
    return "worker #" + std::to_string(worker.id.value) + " " + std::string(core::to_string(worker.state));
}

bool is_leaving_stage(WorkerState state) {
    return state == WorkerState::lame_duck || state == WorkerState::draining || state == WorkerState::cancelling;
}

// Whether the state machine allows this transition in one step. A stage without duration is passed at once.
bool is_allowed(WorkerState from, WorkerState to) {
    using enum WorkerState;
    switch (from) {
        case starting:
            return to == ready || to == draining;
        case ready:
            return to == lame_duck || to == draining || to == paused;
        case paused:
            return to == ready || to == draining;
        case lame_duck:
            return to == ready || to == draining;
        case draining:
            return to == ready || to == cancelling;
        case cancelling:
            return to == killed;
        case killed:
        case gone:
            return false;
    }
    return false;
}

}  // namespace

// Determines whether a stop signal must, may or must not skip the current stage: it has no effect within a second of
// the previous one.
void InvariantChecker::note_stop() {
    skip_ = Skip::none;
    lame_duck_is_skipped_ = false;
    const Instant now = world_.now();
    const bool is_ending =
        world_.status().phase == core::Phase::stopping || world_.status().phase == core::Phase::finished;
    if (is_ending && !stopping_since_) stopping_since_ = now;
    if (!is_ending && stopping_since_) {  // it was undone
        stop_asked_at_.reset();
        stopping_since_.reset();
        skip_accepted_at_.reset();
        skip_received_at_.reset();
        has_killed_in_stop_ = has_cut_off_in_stop_ = false;
    }
    const auto* asked = std::get_if<core::Asked>(&world_.last_event());
    if (asked == nullptr) return;
    const auto* stop = std::get_if<core::Stop>(&asked->request.what);
    if (stop == nullptr) return;
    if (!stop_asked_at_) stop_asked_at_ = now;
    if (world_.before().phase != core::Phase::stopping) {
        lame_duck_is_skipped_ = stop->lame_duck == core::LameDuck::skipped;
        skip_received_at_ = skip_accepted_at_ = now;
        return;
    }
    if (asked->id.value != 0) return;  // a stop over the API only joins; signals skip stages
    if (!skip_accepted_at_) skip_received_at_ = skip_accepted_at_ = *stopping_since_;
    const bool is_late_enough = now >= *skip_accepted_at_ + core::min_stop_interval;
    if (is_late_enough) skip_ = now >= *skip_received_at_ + core::min_stop_interval ? Skip::demanded : Skip::allowed;
    if (is_late_enough) skip_accepted_at_ = now;
    skip_received_at_ = now;
}

void InvariantChecker::check_workers() {
    check_kills();
    check_skip();
    for (const core::WorkerStatus& worker : world_.status().workers) {
        Seen& entry = seen(worker);
        const auto was = entry.state;
        // It may have become ready and left again in one step.
        if (worker.state != WorkerState::ready && became_ready(worker.id)) enter(entry, WorkerState::ready);
        if (entry.state != worker.state) check_transition(worker, entry);
        if (entry.state != worker.state) enter(entry, worker.state);
        check_deadline(worker, entry);
        if (worker.state == WorkerState::ready) check_ready(worker, was);
        const Instant ready = entry.first_ready.value_or(world_.now());
        const Duration settle = std::min(entry.policies->tight.settle, policies_->tight.settle);
        const bool is_new = worker.settled && !std::exchange(entry.has_settled, worker.settled);
        if (is_new && world_.now() < ready + settle) report_violation(3, label(worker) + " settled too early");
        const bool is_cut_off = worker.state == WorkerState::cancelling || worker.state == WorkerState::killed;
        if (stop_asked_at_ && is_cut_off) has_cut_off_in_stop_ = true;
    }
}

void InvariantChecker::check_transition(const core::WorkerStatus& worker, const Seen& was) {
    if (worker.state == WorkerState::gone) return;
    if (!is_allowed(was.state, worker.state))
        return report_violation(2,
                                label(worker) + " was " + std::string(core::to_string(was.state)) + " one step before");
    const core::Policy& policy = was.policies->tight;
    if (was.state == WorkerState::lame_duck && worker.state == WorkerState::draining) {
        // A later change does not wait for the lame duck of an earlier one.
        const core::Status &before = world_.before(), &after = world_.status();
        const bool is_same_change = before.phase == after.phase && before.target == after.target;
        // A restart has no lame duck.
        const bool is_restart = after.phase == core::Phase::rolling_out || after.phase == core::Phase::rolling_back ||
                                after.phase == core::Phase::probation;
        const bool must_last = !lame_duck_is_skipped_ && is_same_change && !is_restart && !is_about(worker.id) &&
                               !has_failed_now(worker.id);
        if (must_last) check_stage_duration(worker, was, policy.lame_duck);
    }
    if (worker.state == WorkerState::lame_duck && !stop_asked_at_ && world_.status().target > 0)
        report_violation(3, label(worker) + " though it has a successor");
    if (worker.state == WorkerState::cancelling) check_stage_duration(worker, was, policy.grace_period);
    if (worker.state == WorkerState::killed) check_stage_duration(worker, was, policy.cancel_period);
}

void InvariantChecker::check_stage_duration(const core::WorkerStatus& worker, const Seen& was, Duration budget) {
    if (skip_ != Skip::none || world_.now() >= was.since + budget) return;
    report_violation(2, label(worker) + " after " + std::to_string((world_.now() - was.since).count()) + " us of " +
                            std::to_string(budget.count()));
}

void InvariantChecker::check_kills() {
    for (const core::Action& action : world_.last_actions()) {
        const auto* kill = std::get_if<core::Kill>(&action);
        if (kill == nullptr) continue;
        const Seen* known = find_seen(kill->worker);
        // A launch that was killed before Spawned is killed again when it succeeds.
        const bool is_spawned_now =
            std::holds_alternative<core::Spawned>(world_.last_event()) && is_about(kill->worker);
        if (known != nullptr && known->state == WorkerState::killed && is_spawned_now) continue;
        if (known == nullptr || known->state != WorkerState::cancelling)
            report_violation(2, "Kill of worker #" + std::to_string(kill->worker.value) + " which was not cancelling");
        if (stop_asked_at_) has_killed_in_stop_ = true;
    }
}

// Each further stop signal moves every worker to its next stage.
void InvariantChecker::check_skip() {
    if (skip_ != Skip::demanded) return;
    for (const core::WorkerStatus& worker : world_.status().workers) {
        const Seen* known = find_seen(worker.id);
        if (known != nullptr && is_leaving_stage(known->state) && known->state == worker.state)
            report_violation(2, label(worker) + " did not move to its next stage on a further stop signal");
    }
}

void InvariantChecker::check_deadline(const core::WorkerStatus& worker, const Seen& entry) {
    if (worker.state == WorkerState::ready || worker.state == WorkerState::gone) return;
    if (!worker.deadline) return report_violation(7, label(worker) + " has no deadline");
    const core::Policy& policy = entry.policies->loose;
    Duration budget{};
    switch (worker.state) {
        case WorkerState::starting:
            budget = policy.ready_timeout + policy.max_extension;
            break;
        case WorkerState::paused:
            // The pause of the service, or the probation of another generation; then the grace period to confirm a
            // recall, which may be late.
            budget = std::max(policy.max_pause, rollout_bound(policy, highest_target_)) + policy.grace_period +
                     policy.max_extension + world_.lateness();
            break;
        case WorkerState::lame_duck:
            budget = policy.lame_duck + policy.max_extension;
            break;
        case WorkerState::draining:
            budget = policy.grace_period + policy.max_extension;
            break;
        case WorkerState::cancelling:
            budget = policy.cancel_period + policy.max_extension;
            break;
        default:
            budget = core::unkillable_after;
            break;
    }
    // If it is paused again during a recall, the state starts again.
    const Instant since = worker.state == WorkerState::paused ? std::max(entry.since, worker.since) : entry.since;
    if (*worker.deadline > since + budget)
        report_violation(7, label(worker) + " may last until " + seconds(*worker.deadline) + ", it began at " +
                                seconds(entry.since));
    const bool is_elapsed = std::holds_alternative<core::Elapsed>(world_.last_event());
    if (is_elapsed && *worker.deadline <= world_.now()) report_violation(7, label(worker) + " beyond its deadline");
}

// A ready worker has reported readiness, or time counts as readiness; and its last stage allows it.
void InvariantChecker::check_ready(const core::WorkerStatus& worker, WorkerState was) {
    const FakeWorker* real = world_.find(worker.id);
    if (real == nullptr) return report_violation(9, label(worker) + " was never launched");
    if (real->life != FakeWorker::Life::running || real->killed_at)
        report_violation(9, label(worker) + " but it does not run any more");
    if (real->last_stage && real->last_stage != Stage::run && real->last_stage != Stage::lame_duck)
        report_violation(9, label(worker) + " but its last stage is " + std::string(name_of(*real->last_stage)));
    if (real->has_said_stopping) report_violation(9, label(worker) + " but it sent STOPPING=1");
    if (was != WorkerState::starting && was != WorkerState::ready && real->last_stage &&
        real->last_stage != Stage::lame_duck && !real->accepts)
        report_violation(9, label(worker) + " again, but it does not accept");
    if (was != WorkerState::starting) return;
    const bool is_probed = std::holds_alternative<core::ReadyProbe>(world_.policy().ready_when);
    if (is_probed && real->good_answers == 0) report_violation(9, label(worker) + " without a successful probe");
    if (is_probed || real->ready_at) return;
    const Instant since = real->spawned_at.value_or(world_.now());
    const core::ReadyWhen& when = world_.policy().ready_when;
    if (std::holds_alternative<core::ReadyNotify>(when)) report_violation(9, label(worker) + " without READY=1");
    if (std::holds_alternative<core::ReadyAuto>(when) &&
        (has_any_worker_notified_ || world_.now() < since + core::auto_ready_after))
        report_violation(9, label(worker) + " by time, but too early or although READY=1 is required");
    const auto* alive = std::get_if<core::ReadyAlive>(&when);
    if (alive != nullptr && world_.now() < since + alive->lived)
        report_violation(9, label(worker) + " before its time with ready-when alive");
}

// When the main process of a worker exits, its group gets the signal of the stage.
void InvariantChecker::check_group_signal() {
    const auto* exited = std::get_if<core::MainExited>(&world_.last_event());
    if (exited == nullptr) return;
    const Seen* known = find_seen(exited->worker);
    if (known == nullptr || known->state == WorkerState::killed) return;
    const core::Policy& policy = world_.policy();
    const int expected = known->state == WorkerState::cancelling ? policy.cancel_signal : policy.stop_signal;
    if (expected == 0) return;
    const auto is_signal = [&](const core::Action& action) {
        const auto* signal = std::get_if<core::Signal>(&action);
        return signal != nullptr && signal->worker == exited->worker && signal->target == core::Target::group &&
               signal->signal == expected;
    };
    const auto& actions = world_.last_actions();
    if (std::none_of(actions.begin(), actions.end(), is_signal))
        report_violation(2, "the group of worker #" + std::to_string(exited->worker.value) + " got no signal");
}

}  // namespace holdfast::simulator
