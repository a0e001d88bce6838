#pragma once

#include <optional>

#include "core/turn.hpp"

namespace holdfast::core {

// Does what is due at `turn.now`. Only for Elapsed: when an exit and a deadline are simultaneous, the exit counts.
void expire(Turn& turn);

// When something is due next.
std::optional<Instant> next_deadline(const State& state);

}  // namespace holdfast::core
