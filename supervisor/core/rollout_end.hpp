#pragma once

#include <string>

#include "core/step_context.hpp"

namespace holdfast::core {

// Describes the start of a rollout, and ends it in either direction.

// "restart to generation 3, asked for by …"
std::string describe_start(const State& state, const Rollout& rollout);

// Ends a successful rollout. A reload that also changes the number of workers continues as a scale.
void finish_rollout(StepContext& context);

// Ends a rollout whose deadline after the probation has passed while some slots have no ready worker.
void finish_rollout_short(StepContext& context);

// Ends a rollout that was refused or undone before any worker was launched.
void refuse_rollout(StepContext& context);

// Ends a rollback. `end` describes what serves now.
void finish_rollback(StepContext& context, Outcome::Result result, const std::string& end);

// Closes the listeners that the serving generation does not use, once no worker that has them exists.
void close_removed_listeners(StepContext& context);

// Restores the policy that a reload has replaced.
void restore_policy(State& state);

}  // namespace holdfast::core
