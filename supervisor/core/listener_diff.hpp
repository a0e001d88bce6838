#pragma once

#include "core/configuration_diff.hpp"

namespace holdfast::core {

// Compares the listeners of two configurations. Part of compare_configurations().
void compare_listeners(const std::vector<ListenAddress>& in_force, const std::vector<ListenAddress>& next,
                       ConfigurationDiff& changes);

}  // namespace holdfast::core
