#pragma once

#include <string>

#include "core/step_context.hpp"

namespace holdfast::core {

// The end of everything: whatever is under way is interrupted, every worker climbs the ladder, and when the last one is
// gone those who asked are told what `run` returns.

void begin_shutdown(StepContext& context, Shutdown::Cause cause, const std::string& why, LameDuck lame_duck);

// A stop while the end is under way. An asker who waits only joins; a signal, 1 s or more after the one before, moves
// every worker one stage on from where it is.
void escalate_shutdown(StepContext& context, RequestId asker, const std::string& asked_by);

// Whether there is something to go back to.
bool can_be_undone(const State& state);

// The stop is taken back: whoever asked for it learns so, and the workers return.
void undo_shutdown(StepContext& context, RequestId asker, const std::string& asked_by);

// Finishes once nobody is left.
void advance_shutdown(StepContext& context);

}  // namespace holdfast::core
