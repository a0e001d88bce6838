#pragma once

#include <chrono>

#include "base/time.hpp"

namespace holdfast::test {

inline Instant read_clock() { return std::chrono::time_point_cast<Duration>(std::chrono::steady_clock::now()); }

}  // namespace holdfast::test
