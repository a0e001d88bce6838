#pragma once

#include <string>

#include "core/step_context.hpp"

namespace holdfast::core {

// Starts the first generation. All its workers share one deadline; until then, workers that exit are launched again. If
// not all slots are ready at the same time by the deadline, all workers are asked to leave and `run` exits with 1.

void begin_first_generation(StepContext& context);

// Handles a failed launch. Ends the service at once if a retry cannot succeed.
void fail_first_generation_at_launch(StepContext& context, const std::string& what, int error_number);

// Ends the service because the deadline has passed.
void fail_first_generation_at_deadline(StepContext& context);

// Fills the slots, and completes the start if all of them are ready.
void advance_first_generation(StepContext& context);

}  // namespace holdfast::core
