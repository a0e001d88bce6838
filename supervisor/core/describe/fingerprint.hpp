#pragma once

#include <string>

#include "core/configuration.hpp"

namespace holdfast::core {

// Sixteen digits by which two configurations are told apart in the ledger: of all that a reload can change.
std::string fingerprint(const Configuration& configuration);

}  // namespace holdfast::core
