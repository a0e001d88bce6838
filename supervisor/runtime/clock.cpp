#include "runtime/clock.hpp"

namespace holdfast::runtime {

Instant now() { return std::chrono::time_point_cast<Duration>(std::chrono::steady_clock::now()); }

}  // namespace holdfast::runtime
