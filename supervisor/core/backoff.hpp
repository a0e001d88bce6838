#pragma once

#include <cstdint>

#include "base/time.hpp"
#include "core/policy.hpp"

namespace holdfast::core {

// A generator of its own (splitmix64), so that a seed gives the same schedule everywhere.
struct Random {
    std::uint64_t state = 0;
    std::uint64_t next();
    // Uniform in [low, high].
    Duration between(Duration low, Duration high);
};

// How long a slot waits after its `crashes`-th crash in a row (1, 2, …): nothing after the first, then
// min · 2^(crashes − 2), up to max. Jitter adds up to a quarter, within [min, max], so that workers which died together
// do not come back together.
Duration backoff_delay(const Policy& policy, int crashes, Random& random);

}  // namespace holdfast::core
