#include "os/state_directory.hpp"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <utility>

#include "os/errno_error.hpp"

namespace holdfast::os {
namespace {

constexpr mode_t writable_by_others = 022;

// Creates all missing directories of the path, accessible only to us.
Result<void> make_path(const std::string& path) {
    for (std::size_t slash = path.find('/', 1);; slash = path.find('/', slash + 1)) {
        const std::string part = path.substr(0, slash);
        if (::mkdir(part.c_str(), 0700) != 0 && errno != EEXIST && ::access(part.c_str(), X_OK) != 0) {
            return errno_error("create " + part);
        }
        if (slash == std::string::npos) return {};
    }
}

Result<StateDirectory> open_one(const std::string& path) {
    if (const auto made = make_path(path); !made) return made.error();
    StateDirectory state{path, UniqueFd{::open(path.c_str(), O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC)}};
    if (!state.directory) return errno_error("open " + path);
    struct stat status {};
    if (::fstat(state.directory.get(), &status) != 0) return errno_error("stat " + path);
    if (status.st_uid != ::geteuid()) {
        return error("cannot use " + path + ": it belongs to uid " + std::to_string(status.st_uid), EPERM);
    }
    if ((status.st_mode & writable_by_others) != 0) {
        return error("cannot use " + path + ": other users can write to it; run chmod go-w on it", EPERM);
    }
    if (::faccessat(state.directory.get(), ".", W_OK, AT_EACCESS) != 0) return errno_error("write to " + path);
    if (::flock(state.directory.get(), LOCK_EX | LOCK_NB) != 0) {
        if (errno == EWOULDBLOCK)
            return error("cannot use " + path + ": another supervisor has locked it", EWOULDBLOCK);
        return errno_error("lock " + path);
    }
    return state;
}

std::string without_trailing_slash(std::string path) {
    while (path.size() > 1 && path.back() == '/') path.pop_back();
    return path;
}

}  // namespace

std::vector<std::string> candidate_state_directories(std::string_view name, const StateDirectorySources& sources) {
    if (!sources.state_dir.empty()) return {without_trailing_slash(sources.state_dir)};
    std::vector<std::string> candidates;
    if (const auto& given = sources.state_directory; !given.empty()) {
        candidates.push_back(without_trailing_slash(given.substr(0, given.find(':'))));
    }
    const std::string below = "/holdfast/" + std::string(name);
    if (sources.uid == 0) {
        candidates.push_back("/var/lib" + below);
    } else if (sources.xdg_state_home.starts_with('/')) {
        candidates.push_back(sources.xdg_state_home + below);
    } else if (sources.home.starts_with('/')) {
        candidates.push_back(sources.home + "/.local/state" + below);
    }
    return candidates;
}

Result<StateDirectory> open_state_directory(std::span<const std::string> candidates) {
    std::string reasons;
    for (const std::string& candidate : candidates) {
        auto opened = open_one(candidate);
        if (opened) return opened;
        reasons += (reasons.empty() ? "" : "; ") + opened.error().text;
    }
    return error(reasons.empty() ? "no directory is configured; use --state-dir" : reasons, ENOENT);
}

}  // namespace holdfast::os
