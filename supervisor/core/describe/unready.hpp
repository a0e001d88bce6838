#pragma once

#include <string>

#include "core/state.hpp"

namespace holdfast::core {

// Why /readyz reports 503, as a sentence. Empty if the service is ready: it has served, is neither stopping nor paused,
// and `min_ready` workers are ready.
std::string unready_because(const State& state, Instant now);

// "slot 0 crashes over and over", or the same for several slots; empty if there is no crash loop. Contains no times, so
// it changes only with the state.
std::string describe_loops(const State& state);

}  // namespace holdfast::core
