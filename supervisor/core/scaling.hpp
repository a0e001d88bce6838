#pragma once

#include <string>
#include <vector>

#include "core/step_context.hpp"

namespace holdfast::core {

// Changes the target. Slots are filled from the lowest index and removed from the highest. The request is answered when
// all slots have a ready worker and all removed workers are gone, or when a slot does not become ready in time. The new
// target is kept in both cases.

// `before` is a prefix of the answer: what has already been done for the request.
void begin_scaling(StepContext& context, const std::vector<RequestId>& askers, const std::string& asked_by, int target,
                   const std::string& before);

// Fills all slots again after a stop was undone.
void begin_undo_of_stop(StepContext& context, RequestId asker, const std::string& asked_by);

// Keeps each slot filled and releases surplus workers. Used while no rollout launches or replaces workers.
void fill_slots(StepContext& context);

// Answers the request when the change is complete.
void advance_scaling(StepContext& context);

// Handles the deadline: fails the change if a slot has no ready worker.
void fail_scaling_if_unready(StepContext& context);

}  // namespace holdfast::core
