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
    std::string path;       // as execve(2) takes it; relative: to the worker's directory
    std::string real_path;  // where that led, all symbolic links followed; empty: not known
    UniqueFd file;          // O_PATH
    FileIdentity identity;
    std::string interpreter;  // of a script that starts with #!; a script always runs by a path
    std::string build_id;     // read_build_id(); empty: none, or it may not be read
};

// A command with '/' as it is, relative to `directory_fd`; any other along `search_path` (colons; an empty part is the
// directory), as execvp(3) looks: one that may not be executed is passed over, and told as EACCES if no better comes.
std::variant<Executable, LaunchFailure> find_executable(const std::string& command, int directory_fd,
                                                        std::string_view search_path);

// Whether the path still leads to the file that is held.
bool is_unchanged(const Executable& executable, int directory_fd);

// By what a held program is executed: the path, while it leads to the same file; else where it had led, while that is
// the same file (a symbolic link to the current release was turned); else the descriptor, which a script cannot be run
// by: it runs by its path whatever that leads to.
enum class ExecMethod { path, real_path, descriptor };
ExecMethod choose_exec_method(const Executable& executable, int directory_fd);

// Why the very program that was found cannot be run any more, as a sentence; nothing where it can. A file that was
// overwritten in place changes under the descriptor that holds it; one that was moved or removed does not.
std::optional<std::string> find_program_change(const Executable& executable, int directory_fd);

}  // namespace holdfast::os
