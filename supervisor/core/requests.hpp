#pragma once

#include "core/event.hpp"
#include "core/step_context.hpp"

namespace holdfast::core {

// Handles operators' requests. Only one change runs at a time. Others are queued, see pending.hpp. Only a stop and an
// undo interrupt the running change.
void on_asked(StepContext& context, const Asked& event);

// Begins the oldest queued change if no change is in progress. Returns true if it did.
bool begin_next_change(StepContext& context);

}  // namespace holdfast::core
