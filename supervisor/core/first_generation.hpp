#pragma once

#include <string>

#include "core/step_context.hpp"

namespace holdfast::core {

// The first generation has one deadline for all its workers; within it, what exits is launched again. Either all slots
// are ready at once, or everybody leaves and `run` ends 1.

void begin_first_generation(StepContext& context);

// One launch failed. Where trying again cannot help, everything ends now.
void fail_first_generation_at_launch(StepContext& context, const std::string& what, int error_number);

// Its deadline has passed.
void fail_first_generation_at_deadline(StepContext& context);

// Fills the slots, and sees whether all are ready.
void advance_first_generation(StepContext& context);

}  // namespace holdfast::core
