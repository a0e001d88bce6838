#pragma once

#include <string>
#include <vector>

#include "base/address.hpp"
#include "base/launch_options.hpp"
#include "core/policy.hpp"

namespace holdfast::core {

enum class LogFormat { text, json };
enum class Orphans { refuse, replace };  // workers of a former supervisor that still hold our address

// Everything that `holdfast run` was told.
struct Configuration {
    std::string name;
    std::string runtime_dir;  // empty: chosen as the manual says
    std::string state_dir;    // the same; the ledger lies there
    std::string file;         // --config; empty: none, and nothing to reload
    std::vector<ListenAddress> listen;
    std::vector<ListenAddress> admin;  // health probes: at most one
    LaunchOptions launch;
    Policy policy;
    Orphans orphans = Orphans::refuse;
    LogFormat log_format = LogFormat::text;
    std::string log_level = "info";
};

}  // namespace holdfast::core
