#pragma once

#include "core/event.hpp"
#include "core/step_context.hpp"

namespace holdfast::core {

// What operators ask for. One change at a time: what comes meanwhile waits its turn, one restart and one scale at most;
// a later request of the same kind takes the place of an earlier one, whose asker is told. Only a stop preempts.
void on_asked(StepContext& context, const Asked& event);

// Begins the change that has waited longest, if none is under way. True if one was begun.
bool begin_next_change(StepContext& context);

}  // namespace holdfast::core
