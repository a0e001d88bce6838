#pragma once

#include <cstdint>

#include "base/time.hpp"
#include "core/policy.hpp"

namespace holdfast::core {

// A splitmix64 generator: the same seed gives the same sequence on every platform.
struct Random {
    std::uint64_t state = 0;
    std::uint64_t next();
    // Uniform in [low, high].
    Duration between(Duration low, Duration high);
};

// The delay before the next launch in a slot after `crashes` crashes in a row (1, 2, …): zero after the first, then
// min · 2^(crashes − 2), up to max. Jitter adds up to a quarter, within [min, max], so that workers that crashed at the
// same time are not restarted at the same time.
Duration backoff_delay(const Policy& policy, int crashes, Random& random);

}  // namespace holdfast::core
