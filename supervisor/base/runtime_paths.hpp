#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace holdfast {

// What decides where a service's runtime directory lies. Empty where the user or the environment said nothing.
struct RuntimeEnvironment {
    std::string runtime_dir;        // --runtime-dir: the directory itself, and then the only candidate
    std::string runtime_directory;  // $RUNTIME_DIRECTORY, as a service manager sets it; of several the first
    std::string xdg_runtime_dir;    // $XDG_RUNTIME_DIR
    std::uint32_t uid = 0;          // effective
};

// Where the runtime directory of service `name` can lie, best first. The supervisor takes the first that it can have;
// its clients try them in the same order.
std::vector<std::string> candidate_directories(std::string_view name, const RuntimeEnvironment& environment);

// The directories whose entries are the runtime directories of this user's services, for a client that was given no
// name. A directory chosen by --runtime-dir or $RUNTIME_DIRECTORY lies where its user put it, so it is not among them.
std::vector<std::string> service_parent_directories(const RuntimeEnvironment& environment);

// Names of what lies in a runtime directory.
inline constexpr std::string_view api_socket_file = "api.sock";
inline constexpr std::string_view lock_file = "lock";
inline constexpr std::string_view worker_records_folder = "workers";

}  // namespace holdfast
