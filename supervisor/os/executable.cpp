#include "os/executable.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <climits>

#include "os/build_id.hpp"
#include "os/launch_spec.hpp"

namespace holdfast::os {
namespace {

// Reopens the file for reading; empty without read permission.
UniqueFd open_to_read(const UniqueFd& held) {
    const std::string path = "/proc/self/fd/" + std::to_string(held.get());
    return UniqueFd{::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NOCTTY)};
}

// The program after "#!". Empty if the file is not a script or cannot be read (then only the kernel knows).
std::string interpreter_of(const UniqueFd& readable) {
    std::array<char, 256> head{};  // the kernel reads as many bytes, see execve(2)
    const ssize_t size = readable ? ::pread(readable.get(), head.data(), head.size(), 0) : -1;
    if (size < 2) return {};
    std::string_view line(head.data(), static_cast<std::size_t>(size));
    if (!line.starts_with("#!")) return {};
    line = line.substr(2, line.find('\n') - 2);
    const auto begin = line.find_first_not_of(" \t");
    if (begin == std::string_view::npos) return "nothing";
    return std::string(line.substr(begin, line.find_first_of(" \t", begin) - begin));
}

std::string real_path_of(const UniqueFd& held) {
    const std::string link = "/proc/self/fd/" + std::to_string(held.get());
    std::array<char, PATH_MAX> target{};
    const ssize_t size = ::readlink(link.c_str(), target.data(), target.size());
    const bool is_whole = size > 0 && static_cast<std::size_t>(size) < target.size();
    return is_whole ? std::string(target.data(), static_cast<std::size_t>(size)) : std::string{};
}

bool leads_to(const std::string& path, int directory_fd, const FileIdentity& identity) {
    struct stat status = {};
    return !path.empty() && ::fstatat(directory_fd, path.c_str(), &status, 0) == 0 && identity_of(status) == identity;
}

// Whether the open file still has the content that it had when it was found.
bool holds_the_same(const Executable& executable) {
    struct stat status = {};
    if (::fstat(executable.file.get(), &status) != 0) return false;
    if (executable.build_id.empty()) return identity_of(status) == executable.identity;
    // Only the build id is compared here. A changed size or time does not mean another program (the file may have been
    // touched or stripped), and an equal size and time does not mean the same one (rsync --inplace --times preserves
    // both).
    const UniqueFd readable = open_to_read(executable.file);
    return readable && read_build_id(readable.get()) == executable.build_id;
}

// Returns 0, or the errno that says why the file cannot be executed.
int open_executable(const std::string& path, int directory_fd, Executable& into) {
    UniqueFd file{::openat(directory_fd, path.c_str(), O_PATH | O_CLOEXEC)};
    if (!file) return errno;
    struct stat status = {};
    if (::fstat(file.get(), &status) != 0) return errno;
    // Any execute bit is enough here: whether the worker's user may execute the file is left to execve(2).
    constexpr mode_t by_anybody = S_IXUSR | S_IXGRP | S_IXOTH;
    if (!S_ISREG(status.st_mode) || (status.st_mode & by_anybody) == 0) return EACCES;
    into.path = path;
    into.identity = identity_of(status);
    const UniqueFd readable = open_to_read(file);
    into.interpreter = interpreter_of(readable);
    into.build_id = readable ? read_build_id(readable.get()) : std::string{};
    into.real_path = real_path_of(file);
    into.file = std::move(file);
    return 0;
}

bool should_search_on(int problem) {
    return problem == ENOENT || problem == ENOTDIR || problem == EACCES || problem == ENODEV || problem == ETIMEDOUT ||
           problem == ESTALE;
}

}  // namespace

FileIdentity identity_of(const struct stat& file) {
    return {file.st_dev, file.st_ino, file.st_size, file.st_mtim.tv_sec, file.st_mtim.tv_nsec};
}

std::variant<Executable, LaunchFailure> find_executable(const std::string& command, int directory_fd,
                                                        std::string_view search_path) {
    Executable executable;
    if (command.empty() || command.find('/') != std::string::npos) {
        if (const int problem = open_executable(command, directory_fd, executable)) {
            return LaunchFailure{"execute " + command, problem};
        }
        return executable;
    }
    int worst = ENOENT;
    for (;;) {
        const auto colon = search_path.find(':');
        const std::string_view directory = search_path.substr(0, colon);
        const std::string candidate = (directory.empty() ? std::string(".") : std::string(directory)) + "/" + command;
        const int problem = open_executable(candidate, directory_fd, executable);
        if (problem == 0) return executable;
        if (problem == EACCES) worst = EACCES;
        if (!should_search_on(problem)) return LaunchFailure{"execute " + candidate, problem};
        if (colon == std::string_view::npos) break;
        search_path.remove_prefix(colon + 1);
    }
    return LaunchFailure{"execute " + command, worst};
}

bool is_unchanged(const Executable& executable, int directory_fd) {
    return leads_to(executable.path, directory_fd, executable.identity);
}

ExecMethod choose_exec_method(const Executable& executable, int directory_fd) {
    if (is_unchanged(executable, directory_fd)) return ExecMethod::path;
    if (leads_to(executable.real_path, AT_FDCWD, executable.identity)) return ExecMethod::real_path;
    return executable.interpreter.empty() ? ExecMethod::descriptor : ExecMethod::path;
}

std::optional<std::string> find_program_change(const Executable& executable, int directory_fd) {
    const std::string& path = executable.path;
    if (!executable.interpreter.empty()) {
        if (choose_exec_method(executable, directory_fd) == ExecMethod::real_path ||
            is_unchanged(executable, directory_fd)) {
            return std::nullopt;
        }
        const bool is_gone = ::faccessat(directory_fd, path.c_str(), F_OK, 0) != 0;
        return path + (is_gone ? " no longer exists" : " is a different file now") +
               ", and a script can only be run by its path; deploy each release into a new directory and keep the "
               "previous one";
    }
    if (holds_the_same(executable)) return std::nullopt;
    return path +
           " was overwritten in place, and there is no copy of the previous program; deploy each release into a new "
           "directory, or rename a new file over the old one";
}

}  // namespace holdfast::os
