#pragma once

#include "core/step_context.hpp"

namespace holdfast::core {

// Rolls a failed rollout back. New workers that are not ready leave at once; ready ones leave as soon as former workers
// can replace them. Former workers that have released nothing are recalled. A slot whose former worker is gone is
// filled from the launch spec of the former generation.
void advance_rollback(StepContext& context);

// Ends a rollback whose deadline has passed. The answer names what could not be restored.
void expire_rollback(StepContext& context);

}  // namespace holdfast::core
