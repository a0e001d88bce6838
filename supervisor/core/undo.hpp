#pragma once

#include <string>

#include "core/step_context.hpp"

namespace holdfast::core {

// Reverts the rollout or stop in progress. Workers that have released nothing accept again; the others are replaced
// from the launch spec of the serving generation. Queued changes are dropped.
void undo(StepContext& context, RequestId asker, const std::string& asked_by);

}  // namespace holdfast::core
