#include "core/backoff.hpp"

#include <algorithm>

namespace holdfast::core {

std::uint64_t Random::next() {
    state += 0x9E3779B97F4A7C15U;
    std::uint64_t mixed = state;
    mixed = (mixed ^ (mixed >> 30U)) * 0xBF58476D1CE4E5B9U;
    mixed = (mixed ^ (mixed >> 27U)) * 0x94D049BB133111EBU;
    return mixed ^ (mixed >> 31U);
}

Duration Random::between(Duration low, Duration high) {
    if (high <= low) return low;
    const auto width = static_cast<std::uint64_t>((high - low).count()) + 1;
    return low + Duration{static_cast<Duration::rep>(next() % width)};
}

Duration backoff_delay(const Policy& policy, int crashes, Random& random) {
    if (crashes <= 1) return Duration::zero();
    Duration base = policy.backoff_min;
    for (int doublings = crashes - 2; doublings > 0 && base < policy.backoff_max; --doublings) base *= 2;
    // At the maximum the jitter is subtracted.
    const Duration low = std::max(policy.backoff_min, std::min(base, policy.backoff_max * 4 / 5));
    return random.between(low, std::min(low * 5 / 4, policy.backoff_max));
}

}  // namespace holdfast::core
