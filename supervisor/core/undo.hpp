#pragma once

#include <string>

#include "core/step_context.hpp"

namespace holdfast::core {

// Takes back a restart or a stop that is under way: workers that have released nothing accept again, others are
// replaced from the program of the generation that served. What waited for its turn is dropped.
void undo(StepContext& context, RequestId asker, const std::string& asked_by);

}  // namespace holdfast::core
