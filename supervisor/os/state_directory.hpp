#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.hpp"
#include "os/unique_fd.hpp"

namespace holdfast::os {

// What decides where a service keeps what outlives it. Empty where the user or the environment said nothing.
struct StateDirectorySources {
    std::string state_dir;        // --state-dir: the directory itself, and then the only candidate
    std::string state_directory;  // $STATE_DIRECTORY, as a service manager sets it; of several the first
    std::string xdg_state_home;   // $XDG_STATE_HOME
    std::string home;             // $HOME
    std::uint32_t uid = 0;        // effective
};

// Best first.
std::vector<std::string> candidate_state_directories(std::string_view name, const StateDirectorySources& sources);

// One that was had: ours alone, locked (flock) while this lives.
struct StateDirectory {
    std::string path;
    UniqueFd directory;
};

// The first candidate that can be had, made with mode 0700 as needed. Refused are directories of another uid, ones that
// others can write to, symbolic links, and one that another supervisor has locked. The error has a clause for each.
Result<StateDirectory> open_state_directory(std::span<const std::string> candidates);

}  // namespace holdfast::os
