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

// Why a launch failed. As text: "cannot <stage>: <text of the errno>", or only "cannot <stage>" if error_number is 0;
// then the stage includes the reason ("find the user www: there is no such user").
struct LaunchFailure {
    std::string stage;
    int error_number = 0;
};

std::string describe(const LaunchFailure& failure);

// Everything that the workers of one generation have in common. Keeps the directory and the executable open, so that a
// worker of this generation can be replaced unchanged even if the paths lead elsewhere by then.
struct LaunchSpec {
    std::vector<std::string> argv;
    std::vector<std::string> environment;  // "KEY=VALUE"; each key occurs once
    std::string directory_name;            // --chdir; empty: the supervisor's directory
    UniqueFd directory;                    // the open directory; empty: our own, which cannot be opened
    Executable executable;
    std::optional<Credentials> credentials;  // empty: the supervisor's own
    std::optional<mode_t> umask;
    std::vector<ResourceLimit> limits;
    Privileges privileges = Privileges::keep;
    StandardInput standard_input = StandardInput::null;

    int directory_fd() const;  // AT_FDCWD without an open directory
};

// Reads the environment files and resolves user, group, directory and executable. `base_environment` is the environment
// of the supervisor at start; variables that are addressed to the supervisor itself (LISTEN_*, NOTIFY_SOCKET,
// WATCHDOG_*, HOLDFAST_*) are removed from it. Later entries override earlier ones: base, then HOME USER LOGNAME SHELL
// of --user, env files, --env. A command with '/' is relative to the directory; any other is searched along the
// worker's PATH. `descriptors` is the limit of open files of the workers without --limit nofile; empty: our own.
// Thread-safe. May block on file systems and on the user database.
std::variant<LaunchSpec, LaunchFailure> resolve(const LaunchOptions& options,
                                                const std::vector<std::string>& base_environment,
                                                const std::optional<ResourceLimit>& descriptors = std::nullopt);

// Resolves another command with the directory, environment, user and limits of `like`.
std::variant<LaunchSpec, LaunchFailure> resolve_other_command(const LaunchSpec& like, std::vector<std::string> argv);

// Why `spec` can no longer be launched as it was resolved, as a sentence; nullopt if it can. May block on file systems.
std::optional<std::string> find_relaunch_problem(const LaunchSpec& spec);

}  // namespace holdfast::os
