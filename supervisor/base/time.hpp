#pragma once

#include <chrono>
#include <cstdint>

namespace holdfast {

// All times are CLOCK_MONOTONIC in microseconds, the unit of the worker protocol, so an Instant can be sent to a worker
// without conversion. Only runtime/ reads the clock; all other code gets `now` as an argument.
using Duration = std::chrono::microseconds;
using Instant = std::chrono::time_point<std::chrono::steady_clock, Duration>;

// The value of an Instant in the protocol (DEADLINE_USEC).
constexpr std::int64_t to_usec(Instant instant) { return instant.time_since_epoch().count(); }
constexpr Instant from_usec(std::int64_t usec) { return Instant{Duration{usec}}; }

}  // namespace holdfast
