// Invariant 1, the part that is decided by the core: when connections are refused.

#include <algorithm>

#include "tests/simulator/describe.hpp"
#include "tests/simulator/invariant_checker.hpp"

namespace holdfast::simulator {

using core::WorkerState;
using testing::FakeWorker;

namespace {

// Whether the worker may still accept a connection: without the protocol until it is killed, with the protocol until it
// reports that it has stopped, or until the end of its grace period.
bool may_accept(const core::WorkerStatus& worker, const FakeWorker& real) {
    switch (worker.state) {
        case WorkerState::draining:
            return worker.speaks != core::Speaks::protocol || real.accepts;
        case WorkerState::cancelling:
            return worker.speaks != core::Speaks::protocol;
        case WorkerState::killed:
        case WorkerState::gone:
            return false;
        default:
            return true;
    }
}

}  // namespace

void InvariantChecker::check_admission() {
    if (world_.exit_code()) return;
    const core::Status& status = world_.status();
    const bool is_any_accepting = std::any_of(status.workers.begin(), status.workers.end(), [&](const auto& worker) {
        const FakeWorker* real = world_.find(worker.id);
        const bool is_recalled = worker.recall == core::WorkerStatus::Recall::awaited;
        return real != nullptr && (is_recalled || may_accept(worker, *real));
    });
    const bool is_any_serving = std::any_of(status.workers.begin(), status.workers.end(), [&](const auto& worker) {
        const FakeWorker* real = world_.find(worker.id);
        const Seen* known = find_seen(worker.id);
        return real != nullptr && known != nullptr && known->first_ready && worker.state != WorkerState::paused &&
               may_accept(worker, *real);
    });
    if (is_any_serving || status.paused_until) {
        unserved_since_.reset();
    } else if (!unserved_since_) {
        unserved_since_ = world_.now();
    }
    check_removed_listener_admission();
    const bool none_will_start = status.phase == core::Phase::stopping || status.target == 0;
    const bool is_refusing = world_.admission() == core::Admission::refuse;
    if (is_refusing && is_any_accepting) report_violation(1, "connections are refused though a worker may accept");
    if (!is_refusing && none_will_start && !is_any_accepting)
        report_violation(1, "connections are queued though no worker will accept");
    if (none_will_start || is_any_accepting) return;
    const Duration unserved = unserved_since_ ? world_.now() - *unserved_since_ : Duration{};
    const bool was_refusing = world_.before().refusing;
    if (is_refusing && !was_refusing && unserved < policies_->tight.queue_for)
        report_violation(1, "connections are refused before the end of queue_for");
    const bool is_elapsed = std::holds_alternative<core::Elapsed>(world_.last_event());
    if (!is_refusing && is_elapsed && unserved_since_ && unserved >= policies_->loose.queue_for)
        report_violation(1, "connections are queued after the end of queue_for");
}

// Whether the worker may accept a connection now. Unlike in may_accept(), a paused worker may not.
bool InvariantChecker::accepts_now(const core::WorkerStatus& worker) const {
    const FakeWorker* real = world_.find(worker.id);
    if (real == nullptr) return false;
    if (worker.recall == core::WorkerStatus::Recall::awaited) return true;
    return may_accept(worker, *real) && (worker.state != WorkerState::paused || real->accepts);
}

// Listeners that a reload removes: after the commit no connection is queued on them that no worker accepts, and a
// connection that a worker may accept is never refused.
void InvariantChecker::check_removed_listener_admission() {
    const auto& specs = world_.specs();
    const core::Status& status = world_.status();
    for (const core::WorkerStatus& worker : status.workers) {
        if (!accepts_now(worker)) continue;
        if ((specs.listeners_of(world_.find(worker.id)->spawn.spec) & specs.refused()) != 0)
            report_violation(
                1, "worker #" + std::to_string(worker.id.value) + " may accept where connections are refused");
    }
    if (!rollout_ || !rollout_->is_committed || !rollout_->is_undisturbed) return;
    if (status.phase != core::Phase::rolling_out && status.phase != core::Phase::probation) return;
    const auto newest = std::ranges::find(status.workers, rollout_->generation, &core::WorkerStatus::generation);
    if (newest == status.workers.end()) return;
    const auto stays = specs.listeners_of(world_.find(newest->id)->spawn.spec) | specs.refused();
    if ((specs.open() & ~stays) == 0) return;
    const bool any_accepts = std::ranges::any_of(status.workers, [&](const auto& worker) {
        return worker.generation != rollout_->generation && accepts_now(worker);
    });
    if (!any_accepts) report_violation(1, "connections are queued on a removed listener, and no worker accepts them");
}

}  // namespace holdfast::simulator
