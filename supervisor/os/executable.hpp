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

// Identifies the file that a path led to. Copying another program into the same file changes its size or time.
struct FileIdentity {
    dev_t device = 0;
    ino_t inode = 0;
    off_t size = 0;
    std::int64_t modified_sec = 0;
    std::int64_t modified_nsec = 0;
    friend bool operator==(const FileIdentity&, const FileIdentity&) = default;
};

FileIdentity identity_of(const struct stat& file);

// The file of a program, kept open.
struct Executable {
    std::string path;       // argument of execve(2); a relative path is relative to the worker's directory
    std::string real_path;  // `path` with all symbolic links resolved; empty: not known
    UniqueFd file;          // O_PATH
    FileIdentity identity;
    std::string interpreter;  // of a script that starts with "#!"; a script is always run by a path
    std::string build_id;     // read_build_id(); empty: none, or no read permission
};

// Finds the executable of a command. A command with '/' is used as it is, relative to `directory_fd`; any other is
// searched along `search_path` (separated by colons; an empty part means the directory itself), like execvp(3): a file
// without execute permission is skipped, and reported as EACCES if no other is found.
std::variant<Executable, LaunchFailure> find_executable(const std::string& command, int directory_fd,
                                                        std::string_view search_path);

// Whether the path still leads to the open file.
bool is_unchanged(const Executable& executable, int directory_fd);

// How the open program is executed. By `path` while it leads to the same file; otherwise by `real_path` while that is
// the same file (a symbolic link to the current release was changed); otherwise by the descriptor. A script cannot be
// run by a descriptor: it is run by its path, even if that leads to another file.
enum class ExecMethod { path, real_path, descriptor };
ExecMethod choose_exec_method(const Executable& executable, int directory_fd);

// Why the program that was found can no longer be run, as a sentence; nullopt if it can. Overwriting a file in place
// changes the content behind the open descriptor; moving or deleting the file does not.
std::optional<std::string> find_program_change(const Executable& executable, int directory_fd);

}  // namespace holdfast::os
