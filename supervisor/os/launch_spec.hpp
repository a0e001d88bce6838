#pragma once

#include <sys/types.h>

#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "base/launch_options.hpp"
#include "os/credentials.hpp"
#include "os/executable.hpp"
#include "os/unique_fd.hpp"

namespace holdfast::os {

// Why nothing runs. For people: "cannot <stage>: <the errno's words>", or "cannot <stage>" alone where error_number is
// 0 (the stage says why then: "find the user www: there is no such user").
struct LaunchFailure {
    std::string stage;
    int error_number = 0;
};

std::string describe(const LaunchFailure& failure);

// What every worker of one generation is launched from. Holds directory and executable open, so that a generation can
// be refilled as it was when the paths mean something else by then.
struct LaunchSpec {
    std::vector<std::string> argv;
    std::vector<std::string> environment;  // "KEY=VALUE", each key once
    std::string directory_name;            // --chdir; empty: where the supervisor is
    UniqueFd directory;                    // where that led; empty: our own may not be opened
    Executable executable;
    std::optional<Credentials> credentials;  // empty: the supervisor's own
    std::optional<mode_t> umask;
    std::vector<ResourceLimit> limits;
    Privileges privileges = Privileges::keep;
    StandardInput standard_input = StandardInput::null;

    int directory_fd() const;  // AT_FDCWD without a directory
};

// Reads the environment files, finds user, group, directory and executable as they are now. `base_environment` is the
// supervisor's own as it was at start; what the supervisor itself was handed (LISTEN_*, NOTIFY_SOCKET, WATCHDOG_*,
// HOLDFAST_*) is taken out. Later entries win: base, then HOME USER LOGNAME SHELL of --user, env files, --env.
// A command with '/' is relative to the directory, any other is searched along the worker's PATH.
// Blocks as long as the file systems and the user database do; uses no shared state, so any thread may call it.
std::variant<LaunchSpec, LaunchFailure> resolve(const LaunchOptions& options,
                                                const std::vector<std::string>& base_environment);

// Another command in the surroundings of `like`: its directory, environment, user and limits.
std::variant<LaunchSpec, LaunchFailure> resolve_other_command(const LaunchSpec& like, std::vector<std::string> argv);

// Why nothing can be launched from `spec` as it was when it was resolved, as a sentence; nothing where it can. Blocks
// as long as the file systems do.
std::optional<std::string> find_relaunch_problem(const LaunchSpec& spec);

}  // namespace holdfast::os
