#pragma once

#include "base/time.hpp"

namespace holdfast::runtime {

// CLOCK_MONOTONIC, now. The only place that reads a clock: everyone else is told the time.
Instant now();

}  // namespace holdfast::runtime
