#pragma once

#include "core/step_context.hpp"

namespace holdfast::core {

// Compares the current state with the desired state and adds the actions that close the gap. Level-triggered: it
// depends only on the state, not on the event. Only this function decides to launch a worker, to replace one by
// another, and to answer a request.
void reconcile(StepContext& context);

}  // namespace holdfast::core
