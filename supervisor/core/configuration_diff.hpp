#pragma once

#include <string>
#include <vector>

#include "base/address.hpp"
#include "core/configuration.hpp"
#include "core/request.hpp"

namespace holdfast::core {

// The differences between the current configuration and one that was read again.
struct ConfigurationDiff {
    std::vector<std::string> refusals;   // changes that are not possible, as sentences; if any, nothing is applied
    std::vector<std::string> sentences;  // "adds the listener admin (127.0.0.1:9000)"; empty: no difference
    Reload::Workers workers = Reload::Workers::keep;
};

ConfigurationDiff compare_configurations(const Configuration& in_force, const Configuration& next);

// Joins the sentences: "adds the listener admin (127.0.0.1:9000); workers 2 → 4"; empty: no difference.
std::string describe(const ConfigurationDiff& changes);

// Whether the same socket can be used for both: the address, the type and the options that cannot be changed on a bound
// socket are equal. The name, the backlog, the mode and the owner may differ.
bool is_same_listener(const ListenAddress& one, const ListenAddress& other);

}  // namespace holdfast::core
