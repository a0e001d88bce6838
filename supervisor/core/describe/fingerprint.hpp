#pragma once

#include <string>

#include "core/configuration.hpp"

namespace holdfast::core {

// A hash of all settings that a reload can change, 16 hexadecimal digits. The history uses it to distinguish
// configurations.
std::string fingerprint(const Configuration& configuration);

}  // namespace holdfast::core
