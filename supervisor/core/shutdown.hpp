#pragma once

#include <string>

#include "core/step_context.hpp"

namespace holdfast::core {

// Ends the service: interrupts all changes and moves every worker through the termination stages. When the last worker
// is gone, the stop requests are answered with the exit status of `run`.

void begin_shutdown(StepContext& context, Shutdown::Cause cause, const std::string& why, LameDuck lame_duck);

// Handles a further stop request. One over the API only joins the running stop. A signal moves every worker to its next
// stage if at least `min_stop_interval` has passed since the previous one.
void escalate_shutdown(StepContext& context, RequestId asker, const std::string& asked_by);

// Whether the stop can be undone: the service has served before.
bool can_be_undone(const State& state);

// Reverts the stop: answers its requests with `undone` and recalls or replaces the workers.
void undo_shutdown(StepContext& context, RequestId asker, const std::string& asked_by);

// Ends the supervisor if no worker is left.
void advance_shutdown(StepContext& context);

}  // namespace holdfast::core
