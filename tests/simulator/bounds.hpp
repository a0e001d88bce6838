#pragma once

#include "core/policy.hpp"
#include "core/request.hpp"

namespace holdfast::simulator {

// Upper bounds for the duration of every operation, derived from the policy independently of the core.

// From the request to leave until the worker is gone: all stages with the maximum extension, and the wait for a process
// that SIGKILL does not end.
Duration worker_exit_bound(const core::Policy& policy);

// From the launch until the worker is ready and settled, or asked to leave.
Duration worker_start_bound(const core::Policy& policy);

// A rollout of `target` slots proceeds in steps of at least one slot. Each step waits for the start of the new worker,
// and, without surge, first for the exit of an old one. If the last step fails, each slot is rolled back in the same
// way.
Duration rollout_bound(const core::Policy& policy, int target);

// A rollback: recalled workers that do not confirm have the grace period, then each slot is filled again.
Duration return_bound(const core::Policy& policy, int target);

// A scale waits for the start of the added workers and for the exit of the removed ones.
Duration scale_bound(const core::Policy& policy);

// From a request to its answer: the running change, a queued one before it, and the request itself. The core has a
// bound as well (core/bounds.hpp); the shorter one applies.
Duration answer_bound(const core::Policy& policy, const core::Request& request, int target);

}  // namespace holdfast::simulator
