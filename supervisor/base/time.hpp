#pragma once

#include <chrono>
#include <cstdint>

namespace holdfast {

// All of holdfast counts time on CLOCK_MONOTONIC in microseconds, the unit of the worker protocol: an Instant of the
// supervisor can be sent to a worker as it is. Only runtime/ reads the clock; everyone else is given `now`.
using Duration = std::chrono::microseconds;
using Instant = std::chrono::time_point<std::chrono::steady_clock, Duration>;

// The number that the protocol's DEADLINE_USEC carries.
constexpr std::int64_t to_usec(Instant instant) { return instant.time_since_epoch().count(); }
constexpr Instant from_usec(std::int64_t usec) { return Instant{Duration{usec}}; }

}  // namespace holdfast
