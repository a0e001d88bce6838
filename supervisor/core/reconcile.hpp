#pragma once

#include "core/step_context.hpp"

namespace holdfast::core {

// Compares what is with what should be. Level-triggered: it looks at the facts alone, whatever event brought them, and
// it alone decides to launch, to let a worker leave for another, and to answer.
void reconcile(StepContext& context);

}  // namespace holdfast::core
