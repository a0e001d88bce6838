#pragma once

#include "core/changes.hpp"

namespace holdfast::core {

// The part of compare() that is about listeners.
void compare_listeners(const std::vector<ListenAddress>& in_force, const std::vector<ListenAddress>& next,
                       Changes& changes);

}  // namespace holdfast::core
