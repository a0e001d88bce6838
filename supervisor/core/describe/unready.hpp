#pragma once

#include <string>

#include "core/state.hpp"

namespace holdfast::core {

// Why /readyz says no, as a sentence; empty where the service is ready: it has served, nothing ends or pauses it, and
// `min_ready` workers are ready.
std::string unready_because(const State& state, Instant now);

// "slot 0 crashes over and over", and so on; empty where none does. Without times: it changes with the facts alone.
std::string describe_loops(const State& state);

}  // namespace holdfast::core
