#pragma once

#include "core/step_context.hpp"

namespace holdfast::core {

// Notifies a worker of its current stage: over the control pipe if it sent HELLO=1 and listed the stage, otherwise by
// the signal of the stage, if it has one. Nothing is sent before the launch has succeeded.

// Whether the worker is in a stage that can be sent over its control pipe.
bool can_receive_stage(const Worker& worker);

// Sends the current stage over the control pipe, or its signal.
void deliver_stage(StepContext& context, Worker& worker);

// Sends the current stage over the control pipe. Does nothing if the worker cannot receive it.
void send_stage(StepContext& context, const Worker& worker);

// Sends the signal of the current stage to the main process, or to its process group if the main process has exited;
// and to the descendants outside the group.
void signal_stage(StepContext& context, Worker& worker);

// Sends the signal of the current stage to descendants outside the group that were found later.
void signal_late_strays(StepContext& context, const Worker& worker);

}  // namespace holdfast::core
