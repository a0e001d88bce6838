#pragma once

#include <algorithm>

#include "base/time.hpp"
#include "core/policy.hpp"

namespace holdfast::core {

// Invariant 7: upper bounds for the duration of every operation, whatever the workers do. Each bound depends only on
// the policy. The simulator checks that the core keeps them.

// The number of workers above `target` that a rollout may have.
inline int surge(const Policy& policy, int target) { return policy.max_surge.of(target); }

// The number of ready workers below `target` that a rollout may fall to. At least 1 without surge: otherwise a rollout
// could not progress.
inline int unavailable(const Policy& policy, int target) {
    const int allowed = policy.max_unavailable.of(target);
    return surge(policy, target) == 0 ? std::max(allowed, 1) : allowed;
}

// From the launch of a worker until it is ready or asked to leave.
inline Duration start_bound(const Policy& policy) { return policy.ready_timeout + policy.max_extension; }

// From Prepare to Prepared: the launch spec is created and --pre-restart has exited.
inline Duration prepare_bound(const Policy& policy) { return policy.ready_timeout; }

// From the request to leave until SIGKILL.
inline Duration time_to_kill_bound(const Policy& policy) {
    return policy.lame_duck + policy.grace_period + policy.cancel_period + policy.max_extension;
}

// From the request to leave until the worker is gone, or reported as unkillable and abandoned. Also the bound of a
// stop.
inline Duration end_bound(const Policy& policy) { return time_to_kill_bound(policy) + unkillable_after; }

// Duration of the replacement of one generation by another if each worker takes its full time. With less surge than
// `target` the workers are replaced in steps, in the worst case one at a time.
inline Duration replacement_bound(const Policy& policy, int target) {
    const int steps = surge(policy, target) >= target ? 1 : target;
    return steps * (start_bound(policy) + policy.settle);
}

// From the failure of a rollout to its answer: an old worker that was recalled and does not confirm keeps its slot for
// the grace period; then the former generation is launched again, and the failed one leaves.
inline Duration rollback_bound(const Policy& policy, int target) {
    return policy.grace_period + policy.max_extension + replacement_bound(policy, target) + end_bound(policy);
}

// From the end of the probation to the answer: the old workers terminate, and crashed new workers are replaced.
inline Duration retire_bound(const Policy& policy) { return end_bound(policy) + start_bound(policy) + policy.settle; }

// From the start of a rollout to its answer, whatever the outcome.
inline Duration rollout_bound(const Policy& policy, int target) {
    return prepare_bound(policy) + replacement_bound(policy, target) + policy.probation + retire_bound(policy) +
           rollback_bound(policy, target);
}

// From the start of a change of the target to its answer.
inline Duration scale_bound(const Policy& policy) { return std::max(start_bound(policy), end_bound(policy)); }

// From the undo of a stop to its answer: a worker that cannot be recalled goes through all termination stages, and then
// its successor starts.
inline Duration undo_bound(const Policy& policy) { return end_bound(policy) + start_bound(policy); }

// From the request for a restart or a scale to its answer: another change may be in progress, and a third may be queued
// before it. `target` is the largest target during that time.
inline Duration request_bound(const Policy& policy, int target) {
    return start_bound(policy) + 2 * rollout_bound(policy, target) + 3 * scale_bound(policy);
}

}  // namespace holdfast::core
