#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.hpp"
#include "os/unique_fd.hpp"

namespace holdfast::os {

// The settings that determine where a service stores its persistent state. Empty if not set.
struct StateDirectorySources {
    std::string state_dir;        // --state-dir: the directory itself; if set, the only candidate
    std::string state_directory;  // $STATE_DIRECTORY, set by a service manager; the first one of several is used
    std::string xdg_state_home;   // $XDG_STATE_HOME
    std::string home;             // $HOME
    std::uint32_t uid = 0;        // effective
};

// Ordered by preference.
std::vector<std::string> candidate_state_directories(std::string_view name, const StateDirectorySources& sources);

// An open state directory. It is locked (flock) as long as this object exists.
struct StateDirectory {
    std::string path;
    UniqueFd directory;
};

// Opens the first usable candidate; creates it with mode 0700 if necessary. Rejects directories of another uid,
// directories that other users can write to, symbolic links, and a directory that another supervisor has locked. The
// error has one clause for each candidate.
Result<StateDirectory> open_state_directory(std::span<const std::string> candidates);

}  // namespace holdfast::os
