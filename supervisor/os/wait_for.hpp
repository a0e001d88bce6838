#pragma once

#include <span>

#include "base/time.hpp"

namespace holdfast::os {

// Returns when one of the descriptors is readable, when the deadline has passed, or spuriously. The caller must check
// again in any case.
void wait_until_readable(std::span<const int> fds, Instant deadline);

}  // namespace holdfast::os
