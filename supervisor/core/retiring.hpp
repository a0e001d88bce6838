#pragma once

#include "core/roster.hpp"
#include "core/step_context.hpp"

namespace holdfast::core {

// How the workers of the former generation make room for those of the next.

// All new workers run beside all old ones, and the old ones go in one wave.
bool replaces_all_at_once(const State& state);

// It has done what it can before the end of the probation: it is paused; or it cannot be, and there is room for it to
// serve on.
bool waits_for_probation(const State& state, const Worker& old);

// Asks the old worker in this place to pause, where a probation is wanted and it can, or else to leave. `no`: it serves
// on until the end of the probation.
enum class Retired { no, yes };
Retired retire(StepContext& context, Roster& roster, Roster::RosterSlot& roster_slot);

// Every old worker leaves.
void ask_old_to_leave(StepContext& context, Roster& roster);

}  // namespace holdfast::core
