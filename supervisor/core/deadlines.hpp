#pragma once

#include <optional>

#include "core/step_context.hpp"

namespace holdfast::core {

// Does what is due at `context.now`. Only for Elapsed: when an exit and a deadline are simultaneous, the exit counts.
void expire(StepContext& context);

// When something is due next.
std::optional<Instant> next_deadline(const State& state);

}  // namespace holdfast::core
