#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/address.hpp"
#include "core/policy.hpp"

namespace holdfast::core {

enum class StandardInput { null, inherit };
enum class WorkerOutput { tee, inherit };
enum class LogFormat { text, json };
enum class Orphans { refuse, replace };  // workers of a former supervisor that still hold our address
enum class Privileges { keep, no_new };

// `--limit nofile=65536` or `nofile=1024:65536`; `resource` is the number that setrlimit(2) takes.
struct ResourceLimit {
    std::string name;
    int resource = 0;
    std::uint64_t soft = 0;
    std::uint64_t hard = 0;
};

// How a worker is launched, as the user wrote it. Resolved anew for each generation.
struct LaunchOptions {
    std::vector<std::string> command;  // COMMAND and its arguments; never empty
    std::string user, group;           // names or numbers; empty: as the supervisor
    std::string chdir;
    std::optional<std::uint32_t> umask;
    std::vector<std::string> env;        // K=V
    std::vector<std::string> env_files;  // read in order, before `env`
    std::vector<ResourceLimit> limits;
    Privileges privileges = Privileges::keep;
    StandardInput standard_input = StandardInput::null;
    WorkerOutput output = WorkerOutput::tee;
};

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
