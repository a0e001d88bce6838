#pragma once

#include <algorithm>
#include <chrono>

namespace holdfast {

// Far below the range of the clock's nanoseconds.
inline constexpr std::chrono::milliseconds longest_period = std::chrono::hours(24 * 365);

// Limits a period of the program or the operator to between 0 and one year.
inline std::chrono::milliseconds bounded(std::chrono::milliseconds period) {
    return std::clamp(period, std::chrono::milliseconds::zero(), longest_period);
}

}  // namespace holdfast
