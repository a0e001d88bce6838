#pragma once

#include "core/configuration_diff.hpp"

namespace holdfast::core {

// The part of compare_configurations() that is about listeners.
void compare_listeners(const std::vector<ListenAddress>& in_force, const std::vector<ListenAddress>& next,
                       ConfigurationDiff& changes);

}  // namespace holdfast::core
