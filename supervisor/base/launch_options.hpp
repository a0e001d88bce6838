#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace holdfast {

enum class StandardInput { null, inherit };
enum class WorkerOutput { tee, inherit };
enum class Privileges { keep, no_new };

// `--limit nofile=65536` or `nofile=1024:65536`; `resource` is the constant for setrlimit(2).
struct ResourceLimit {
    std::string name;
    int resource = 0;
    std::uint64_t soft = 0;
    std::uint64_t hard = 0;
};

// The options for launching a worker, as given by the user. They are resolved again for each generation.
struct LaunchOptions {
    std::vector<std::string> command;  // COMMAND and its arguments; never empty
    std::string user, group;           // names or numbers; empty: those of the supervisor
    std::string chdir;
    std::optional<std::uint32_t> umask;
    std::vector<std::string> env_files;  // read in order
    std::vector<std::string> env;        // K=V, after the files
    std::vector<ResourceLimit> limits;
    Privileges privileges = Privileges::keep;
    StandardInput standard_input = StandardInput::null;
    WorkerOutput output = WorkerOutput::tee;
    std::string pre_restart;  // command for /bin/sh, run before a new generation replaces another; empty: none
};

}  // namespace holdfast
