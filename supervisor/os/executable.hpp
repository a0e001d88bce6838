#pragma once

#include <sys/stat.h>
#include <sys/types.h>

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <variant>

#include "os/unique_fd.hpp"

namespace holdfast::os {

struct LaunchFailure;

// Which file a path led to. Another program copied into the same file changes size or time.
struct FileIdentity {
    dev_t device = 0;
    ino_t inode = 0;
    off_t size = 0;
    std::int64_t modified_sec = 0;
    std::int64_t modified_nsec = 0;
    friend bool operator==(const FileIdentity&, const FileIdentity&) = default;
};

FileIdentity identity_of(const struct stat& file);

// A program's file, held open.
struct Executable {
    std::string path;  // as execve(2) takes it; relative: to the worker's directory
    UniqueFd file;     // O_PATH
    FileIdentity identity;
    std::string interpreter;  // of a script that starts with #!; a script always runs by its path
};

// A command with '/' as it is, relative to `directory_fd`; any other along `search_path` (colons; an empty part is the
// directory), as execvp(3) looks: one that may not be executed is passed over, and told as EACCES if no better comes.
std::variant<Executable, LaunchFailure> find_executable(const std::string& command, int directory_fd,
                                                        std::string_view search_path);

// Whether the path still leads to the file that is held.
bool is_unchanged(const Executable& executable, int directory_fd);

}  // namespace holdfast::os
