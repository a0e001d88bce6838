#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace holdfast {

// The inputs for the location of a service's runtime directory. Empty strings: not set.
struct RuntimeEnvironment {
    std::string runtime_dir;        // --runtime-dir: the directory itself; there is no other candidate then
    std::string runtime_directory;  // $RUNTIME_DIRECTORY, set by a service manager; only the first of a list is used
    std::string xdg_runtime_dir;    // $XDG_RUNTIME_DIR
    std::uint32_t uid = 0;          // effective uid
};

// The candidates for the runtime directory of service `name`, in order of preference. The supervisor uses the first
// usable one; its clients try them in the same order.
std::vector<std::string> candidate_directories(std::string_view name, const RuntimeEnvironment& environment);

// The directories that contain the runtime directories of this user's services, for a client without a service name.
// Directories set by --runtime-dir or $RUNTIME_DIRECTORY are not included.
std::vector<std::string> service_parent_directories(const RuntimeEnvironment& environment);

// Names of the entries in a runtime directory.
inline constexpr std::string_view api_socket_file = "api.sock";
inline constexpr std::string_view lock_file = "lock";
inline constexpr std::string_view worker_records_folder = "workers";

}  // namespace holdfast
