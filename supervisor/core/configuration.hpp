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
    std::vector<ListenAddress> listen;
    LaunchOptions launch;
    Policy policy;
    Orphans orphans = Orphans::refuse;
    LogFormat log_format = LogFormat::text;
    std::string log_level = "info";
};

}  // namespace holdfast::core
