#pragma once

#include <string>
#include <vector>

#include "core/step_context.hpp"

namespace holdfast::core {

// A change of the target. Slots are filled from the lowest index and taken away from the highest; it is answered when
// all that should be are ready and all that should not be are gone, or when a slot does not get ready in time. The
// target stays as asked either way.

// `before` goes before the answer: what was done already.
void begin_scaling(StepContext& context, const std::vector<RequestId>& askers, const std::string& asked_by, int target,
                   const std::string& before);

// The way back of a stop that was undone: each slot is to be served again.
void begin_undo_of_stop(StepContext& context, RequestId asker, const std::string& asked_by);

// Without any other change under way: keeps each slot filled, lets go of what is too many.
void fill_slots(StepContext& context);

// Answers when it is over.
void advance_scaling(StepContext& context);

// Its deadline has passed.
void fail_scaling_if_unready(StepContext& context);

}  // namespace holdfast::core
