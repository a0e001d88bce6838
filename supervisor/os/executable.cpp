#include "os/executable.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <array>
#include <cerrno>

#include "os/launch_spec.hpp"

namespace holdfast::os {
namespace {

// The program after "#!"; empty for what is no script, or cannot be read (then only the kernel can tell).
std::string interpreter_of(const UniqueFd& held) {
    const std::string path = "/proc/self/fd/" + std::to_string(held.get());
    const UniqueFd file{::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NOCTTY)};
    std::array<char, 256> head{};  // as much as the kernel looks at, see execve(2)
    const ssize_t size = file ? ::read(file.get(), head.data(), head.size()) : -1;
    if (size < 2) return {};
    std::string_view line(head.data(), static_cast<std::size_t>(size));
    if (!line.starts_with("#!")) return {};
    line = line.substr(2, line.find('\n') - 2);
    const auto begin = line.find_first_not_of(" \t");
    if (begin == std::string_view::npos) return "nothing";
    return std::string(line.substr(begin, line.find_first_of(" \t", begin) - begin));
}

// 0, or why the file cannot be executed.
int open_executable(const std::string& path, int directory_fd, Executable& into) {
    UniqueFd file{::openat(directory_fd, path.c_str(), O_PATH | O_CLOEXEC)};
    if (!file) return errno;
    struct stat status = {};
    if (::fstat(file.get(), &status) != 0) return errno;
    // Whether this worker's user may is for the kernel to say, when it comes to it.
    constexpr mode_t by_anybody = S_IXUSR | S_IXGRP | S_IXOTH;
    if (!S_ISREG(status.st_mode) || (status.st_mode & by_anybody) == 0) return EACCES;
    into.path = path;
    into.identity = identity_of(status);
    into.interpreter = interpreter_of(file);
    into.file = std::move(file);
    return 0;
}

bool is_worth_looking_on(int problem) {
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
        const std::string_view place = search_path.substr(0, colon);
        const std::string candidate = (place.empty() ? std::string(".") : std::string(place)) + "/" + command;
        const int problem = open_executable(candidate, directory_fd, executable);
        if (problem == 0) return executable;
        if (problem == EACCES) worst = EACCES;
        if (!is_worth_looking_on(problem)) return LaunchFailure{"execute " + candidate, problem};
        if (colon == std::string_view::npos) break;
        search_path.remove_prefix(colon + 1);
    }
    return LaunchFailure{"execute " + command, worst};
}

bool is_unchanged(const Executable& executable, int directory_fd) {
    struct stat status = {};
    return ::fstatat(directory_fd, executable.path.c_str(), &status, 0) == 0 &&
           identity_of(status) == executable.identity;
}

}  // namespace holdfast::os
