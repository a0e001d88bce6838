#pragma once

#include <chrono>
#include <string>

#include "base/time.hpp"

namespace holdfast::runtime {

// CLOCK_MONOTONIC, now. The only place that reads a clock: everyone else is told the time.
Instant now();

// The time of day, for people and for what outlives this process. Nothing is reckoned with it.
using WallTime = std::chrono::time_point<std::chrono::system_clock, std::chrono::microseconds>;
WallTime wall_clock();

// "2026-02-03T04:05:06.000007Z"
std::string utc_text(WallTime time);

}  // namespace holdfast::runtime
