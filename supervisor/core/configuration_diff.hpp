#pragma once

#include <string>
#include <vector>

#include "base/address.hpp"
#include "core/configuration.hpp"
#include "core/request.hpp"

namespace holdfast::core {

// What is between a configuration in force and one that was read again.
struct ConfigurationDiff {
    std::vector<std::string> refusals;   // sentences; where there is one nothing is applied
    std::vector<std::string> sentences;  // "adds the listener admin (127.0.0.1:9000)"; empty: nothing changes
    Reload::Workers workers = Reload::Workers::keep;
};

ConfigurationDiff compare_configurations(const Configuration& in_force, const Configuration& next);

// The sentences as one: "adds the listener admin (127.0.0.1:9000); workers 2 → 4"; empty: nothing changes.
std::string describe(const ConfigurationDiff& changes);

// One socket can be both: the same address and type, with the same of those options that a bound socket cannot change.
// Its name, backlog, mode and owner may differ.
bool is_same_listener(const ListenAddress& one, const ListenAddress& other);

}  // namespace holdfast::core
