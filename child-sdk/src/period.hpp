#pragma once

#include <algorithm>
#include <chrono>

namespace holdfast {

// Longer than anybody waits, and far from where the clock's nanoseconds end.
inline constexpr std::chrono::milliseconds longest_period = std::chrono::hours(24 * 365);

// A period of the program's or the operator's, as one can reckon with: 0 at least, a year at most.
inline std::chrono::milliseconds bounded(std::chrono::milliseconds period) {
    return std::clamp(period, std::chrono::milliseconds::zero(), longest_period);
}

}  // namespace holdfast
