#pragma once

#include <chrono>
#include <string>

#include "base/time.hpp"

namespace holdfast::runtime {

// The current time of CLOCK_MONOTONIC. This file is the only one that reads a clock; all other code gets the time as an
// argument.
Instant now();

// The time of day, for displayed and persistent timestamps. Never used to compute deadlines.
using WallTime = std::chrono::time_point<std::chrono::system_clock, std::chrono::microseconds>;
WallTime wall_clock();

// "2026-02-03T04:05:06.000007Z"
std::string utc_text(WallTime time);

}  // namespace holdfast::runtime
