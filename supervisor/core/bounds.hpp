#pragma once

#include <algorithm>

#include "base/time.hpp"
#include "core/policy.hpp"

namespace holdfast::core {

// Invariant 7 in numbers: how long anything can take at most, whatever workers do. Each bound follows from the policy
// alone; the simulator holds the core to them.

// How many workers beyond `target` a rollout may have.
inline int surge(const Policy& policy, int target) { return policy.max_surge.of(target); }

// By how many ready workers a rollout may fall below `target`. Where no surge is allowed it counts as one at least, or
// nothing could ever move.
inline int unavailable(const Policy& policy, int target) {
    const int allowed = policy.max_unavailable.of(target);
    return surge(policy, target) == 0 ? std::max(allowed, 1) : allowed;
}

// From being launched to being ready, or being told to leave.
inline Duration start_bound(const Policy& policy) { return policy.ready_timeout + policy.max_extension; }

// Until a launch spec is made and --pre-restart has answered.
inline Duration prepare_bound(const Policy& policy) { return policy.ready_timeout; }

// From being told to leave to being killed.
inline Duration time_to_kill_bound(const Policy& policy) {
    return policy.lame_duck + policy.grace_period + policy.cancel_period + policy.max_extension;
}

// From being told to leave to being gone, or reported as unkillable and left behind: also the bound of a stop.
inline Duration end_bound(const Policy& policy) { return time_to_kill_bound(policy) + unkillable_after; }

// Until one generation has taken the place of another, had each worker all the time it is given. With less surge than
// `target` it goes in steps, at worst one worker at a time.
inline Duration replacement_bound(const Policy& policy, int target) {
    const int steps = surge(policy, target) >= target ? 1 : target;
    return steps * (start_bound(policy) + policy.settle);
}

// From the failure of a rollout to its answer: an old worker that was told to run and stays silent keeps its place for
// its grace period; then the former generation is launched anew, and the failed one leaves.
inline Duration rollback_bound(const Policy& policy, int target) {
    return policy.grace_period + policy.max_extension + replacement_bound(policy, target) + end_bound(policy);
}

// From the end of the probation to the answer: the old ones end, and what crashed meanwhile is replaced.
inline Duration retire_bound(const Policy& policy) { return end_bound(policy) + start_bound(policy) + policy.settle; }

// From the start of a rollout to its answer, whatever it is.
inline Duration rollout_bound(const Policy& policy, int target) {
    return prepare_bound(policy) + replacement_bound(policy, target) + policy.probation + retire_bound(policy) +
           rollback_bound(policy, target);
}

// From the start of a change of the target to its answer.
inline Duration scale_bound(const Policy& policy) { return std::max(start_bound(policy), end_bound(policy)); }

// From taking back a stop to its answer: who does not come back has his ladder, and then a successor.
inline Duration undo_bound(const Policy& policy) { return end_bound(policy) + start_bound(policy); }

// From asking for a restart or a scale to its answer: another change may be under way, a third may have been asked for
// before. `target` is the largest one meanwhile.
inline Duration request_bound(const Policy& policy, int target) {
    return start_bound(policy) + 2 * rollout_bound(policy, target) + 3 * scale_bound(policy);
}

}  // namespace holdfast::core
