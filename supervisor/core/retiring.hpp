#pragma once

#include "core/roster.hpp"
#include "core/step_context.hpp"

namespace holdfast::core {

// Retires the workers of the former generation during a rollout.

// Whether all new workers fit beside all old ones, so that the old ones are retired in one wave.
bool replaces_all_at_once(const State& state);

// Whether the old worker stays until the end of the probation: it is paused; or it cannot be paused, and there is room
// for it to continue to serve.
bool waits_for_probation(const State& state, const Worker& old);

// Asks the old worker in this slot to pause if there is a probation and the worker supports it, otherwise to leave.
// `no`: it continues to serve until the end of the probation.
enum class Retired { no, yes };
Retired retire(StepContext& context, Roster& roster, Roster::RosterSlot& roster_slot);

// Asks all old workers to leave.
void ask_old_to_leave(StepContext& context, Roster& roster);

}  // namespace holdfast::core
