#pragma once

#include "core/step_context.hpp"

namespace holdfast::core {

// Changes that wait for their turn. Of what replaces the workers at most one waits, and of what sets their number: the
// newest wins. Who asked for the same before is answered with its outcome; who asked for something else, at once.
void enqueue(StepContext& context, PendingChange change);

// A scale that is about to be asked for wins over the one that waits.
void supersede(StepContext& context, const std::vector<RequestId>& askers, const std::string& by);

// All that waits is over, with this outcome.
void drop_pending(StepContext& context, const Outcome& outcome);

}  // namespace holdfast::core
