#pragma once

#include <string>

#include "core/state.hpp"
#include "core/status.hpp"

namespace holdfast::core {

// Converts the state for display by people and tools.
Status take_snapshot(const State& state, Instant now);

Phase phase_of(const State& state);

// One sentence: "generation 3: 2 of 2 ready".
std::string describe(const State& state);

}  // namespace holdfast::core
