#pragma once

#include "core/policy.hpp"
#include "core/request.hpp"

namespace holdfast::simulator {

// How long anything may take, worked out from the policy alone and apart from the core: what follows is the argument.

// A worker that was told to leave: its ladder, with all the extension that is granted, and the wait for one that
// SIGKILL does not end.
Duration worker_exit_bound(const core::Policy& policy);

// A worker that was launched: until it is ready and settled, or told to leave.
Duration worker_start_bound(const core::Policy& policy);

// A rollout of `target` slots goes in steps of at least one slot. Each step waits for the new worker to come, and
// where there is no room beside for an old one to leave first. When the last step fails, each slot comes back in the
// same way.
Duration rollout_bound(const core::Policy& policy, int target);

// The way back: former workers that were told to run and stay silent have their grace, then each slot is filled anew.
Duration return_bound(const core::Policy& policy, int target);

// A scale waits for the workers that come and for those that leave.
Duration scale_bound(const core::Policy& policy);

// The longest time from a request to its answer: the change that is under way, one that waits before it, and its own.
// The core publishes a bound too (core/bounds.hpp): it is held to the shorter one.
Duration answer_bound(const core::Policy& policy, const core::Request& request, int target);

}  // namespace holdfast::simulator
