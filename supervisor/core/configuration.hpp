#pragma once

#include <string>
#include <vector>

#include "base/address.hpp"
#include "base/launch_options.hpp"
#include "core/policy.hpp"

namespace holdfast::core {

enum class LogFormat { text, json };
enum class Orphans {
    refuse,
    replace
};  // what to do if workers of an earlier supervisor still hold a listener's address

// The complete configuration of `holdfast run`.
struct Configuration {
    std::string name;
    std::string runtime_dir;  // empty: chosen as the manual says
    std::string state_dir;    // contains the history; empty: chosen as the manual says
    std::string file;         // --config; empty: none, and a reload is not possible
    std::vector<ListenAddress> listen;
    std::vector<ListenAddress> admin;  // address for health probes, at most one
    LaunchOptions launch;
    Policy policy;
    Orphans orphans = Orphans::refuse;
    LogFormat log_format = LogFormat::text;
    std::string log_level = "info";
};

}  // namespace holdfast::core
