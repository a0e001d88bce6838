#pragma once

#include <optional>

#include "core/step_context.hpp"

namespace holdfast::core {

// Handles all deadlines that have passed at `context.now`. Called only for Elapsed: if an exit and a deadline are
// simultaneous, the exit comes first.
void expire(StepContext& context);

// The next deadline; nullopt if there is none.
std::optional<Instant> next_deadline(const State& state);

}  // namespace holdfast::core
