#pragma once

#include <string>

#include "core/step_context.hpp"

namespace holdfast::core {

// How a rollout is told of at its start and ends, whichever way it went.

// "restart to generation 3, asked for by …"
std::string describe_start(const State& state, const Rollout& rollout);

// The next generation serves alone. A reload may go on as a change of the target.
void finish_rollout(StepContext& context);

// After the probation, when the old ones are gone: it serves with fewer workers than it should.
void finish_rollout_short(StepContext& context);

// It was refused, or taken back, before anything was launched.
void refuse_rollout(StepContext& context);

// After a way back: `end` says what serves now.
void finish_rollback(StepContext& context, Outcome::Result result, const std::string& end);

// Listeners that only others had are closed as soon as nobody who has them lives.
void close_removed_listeners(StepContext& context);

// A reload's policy is in force no longer.
void restore_policy(State& state);

}  // namespace holdfast::core
