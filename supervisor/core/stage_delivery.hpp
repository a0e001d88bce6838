#pragma once

#include "core/step_context.hpp"

namespace holdfast::core {

// How a worker hears of its stage: told over the control pipe, once it said HELLO and where it listed the stage; else
// by a signal, where the stage has one. A worker whose launch is under way hears nothing yet.

// The worker is in a stage that it can be told.
bool can_receive_stage(const Worker& worker);

// The present stage, by whatever voice the worker hears.
void deliver_stage(StepContext& context, Worker& worker);

// The present stage over the control pipe alone; nothing for a worker that cannot be told.
void send_stage(StepContext& context, const Worker& worker);

// The present stage's signal to whatever is left: the main process, or its group once that has ended; and strays.
void signal_stage(StepContext& context, Worker& worker);

}  // namespace holdfast::core
