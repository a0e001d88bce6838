#include "os/runtime_directory.hpp"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <charconv>
#include <optional>
#include <string>
#include <utility>

#include "base/result.hpp"
#include "base/runtime_paths.hpp"
#include "os/errno_error.hpp"

namespace holdfast::os {
namespace {

constexpr mode_t directory_mode = 0711;  // workers of other uids must be able to reach their notify sockets
constexpr mode_t writable_by_others = 022;

struct Folder {
    UniqueFd fd;
    struct stat status {};
    bool was_made = false;
};

// Follows a symbolic link only if it belongs to root or to our uid.
Result<UniqueFd> open_trusted(int at_fd, const std::string& name, const std::string& display_path, int flags) {
    UniqueFd itself{::openat(at_fd, name.c_str(), O_PATH | O_NOFOLLOW | O_CLOEXEC)};
    if (!itself) return errno_error("open " + display_path);
    struct stat status {};
    if (::fstat(itself.get(), &status) != 0) return errno_error("stat " + display_path);
    const bool is_trusted = status.st_uid == 0 || status.st_uid == ::geteuid();
    if (S_ISLNK(status.st_mode) && !is_trusted) {
        return error("cannot use " + display_path + ": it is a symbolic link of uid " + std::to_string(status.st_uid),
                     EPERM);
    }
    const int follow = S_ISLNK(status.st_mode) ? 0 : O_NOFOLLOW;
    UniqueFd folder{::openat(at_fd, name.c_str(), flags | O_DIRECTORY | O_CLOEXEC | follow)};
    if (!folder) return errno_error("open " + display_path);
    return folder;
}

Result<Folder> open_or_make(int at_fd, const std::string& name, const std::string& display_path, int flags) {
    Folder folder;
    if (::mkdirat(at_fd, name.c_str(), directory_mode) == 0) {
        folder.was_made = true;
        // mkdir() applies the umask.
        if (::fchmodat(at_fd, name.c_str(), directory_mode, 0) != 0)
            return errno_error("set the mode of " + display_path);
    } else if (errno != EEXIST) {
        return errno_error("create " + display_path);
    }
    auto fd = open_trusted(at_fd, name, display_path, flags);
    if (!fd) return fd.error();
    folder.fd = std::move(*fd);
    if (::fstat(folder.fd.get(), &folder.status) != 0) return errno_error("stat " + display_path);
    return folder;
}

std::string parent_of(const std::string& path) {
    const std::size_t slash = path.rfind('/');
    if (slash == std::string::npos) return ".";
    return slash == 0 ? "/" : path.substr(0, slash);
}

std::optional<std::string> fault_of_parent(const struct stat& status) {
    if (status.st_uid != 0 && status.st_uid != ::geteuid()) return "it belongs to uid " + std::to_string(status.st_uid);
    const bool is_shared = (status.st_mode & writable_by_others) != 0 && (status.st_mode & S_ISVTX) == 0;
    if (is_shared) return "other users can write to it";
    return std::nullopt;
}

std::optional<std::string> fault_of_directory(const struct stat& status) {
    if (status.st_uid != ::geteuid()) return "it belongs to uid " + std::to_string(status.st_uid);
    if ((status.st_mode & writable_by_others) != 0) return "other users can write to it; run chmod go-w on it";
    return std::nullopt;
}

Result<Folder> open_directory(const std::string& path) {
    const std::string parent_path = parent_of(path);
    const auto parent = open_or_make(AT_FDCWD, parent_path, parent_path, O_PATH);
    if (!parent) return parent.error();
    if (const auto fault = fault_of_parent(parent->status)) {
        return error("cannot use " + parent_path + ": " + *fault, EPERM);
    }
    const std::size_t slash = path.rfind('/');
    const std::string base = slash == std::string::npos ? path : path.substr(slash + 1);
    auto directory = open_or_make(parent->fd.get(), base, path, O_RDONLY);
    if (!directory) return directory;
    if (const auto fault = fault_of_directory(directory->status)) {
        return error("cannot use " + path + ": " + *fault, EPERM);
    }
    return directory;
}

int pid_in(int lock_fd) {
    std::array<char, 32> text{};
    const ssize_t size = ::pread(lock_fd, text.data(), text.size(), 0);
    int pid = 0;
    if (size > 0) std::from_chars(text.data(), text.data() + size, pid);
    return pid;
}

void write_pid(int lock_fd) {
    const std::string text = std::to_string(::getpid()) + "\n";
    // Only for messages: what counts is the lock.
    if (::ftruncate(lock_fd, 0) == 0) static_cast<void>(!::pwrite(lock_fd, text.data(), text.size(), 0));
}

// A supervisor removes its lock file when it ends; the file that we locked may therefore already be unlinked.
bool is_current(int directory_fd, int lock_fd) {
    struct stat named {};
    struct stat locked {};
    const bool is_there = ::fstatat(directory_fd, lock_file.data(), &named, AT_SYMLINK_NOFOLLOW) == 0;
    return is_there && ::fstat(lock_fd, &locked) == 0 && named.st_ino == locked.st_ino && named.st_dev == locked.st_dev;
}

enum class LockState { locked, held, vanished };
struct Lock {
    UniqueFd fd;
    LockState state = LockState::vanished;
};

Result<Lock> lock(int directory_fd, const std::string& path) {
    // 0600: every user who can open the file could lock it.
    UniqueFd fd{::openat(directory_fd, lock_file.data(), O_RDWR | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0600)};
    if (!fd && errno == ENOENT) return Lock{};  // the directory itself was removed
    if (!fd) return errno_error("open " + path + "/" + std::string(lock_file));
    if (::flock(fd.get(), LOCK_EX | LOCK_NB) != 0) {
        if (errno == EWOULDBLOCK) return Lock{std::move(fd), LockState::held};
        return errno_error("lock " + path);
    }
    if (!is_current(directory_fd, fd.get())) return Lock{};
    write_pid(fd.get());
    return Lock{std::move(fd), LockState::locked};
}

RuntimeDirectoryClaim claim(const std::string& path) {
    constexpr int attempts = 16;  // each fails only if another supervisor ends at the same moment
    for (int attempt = 0; attempt < attempts; ++attempt) {
        auto directory = open_directory(path);
        if (!directory) return NoRuntimeDirectory{directory.error().text};
        auto locked = lock(directory->fd.get(), path);
        if (!locked) return NoRuntimeDirectory{locked.error().text};
        if (locked->state == LockState::held) return NameTaken{path, pid_in(locked->fd.get())};
        if (locked->state == LockState::vanished) continue;
        return RuntimeDirectory(path, std::move(directory->fd), std::move(locked->fd), directory->was_made);
    }
    return NoRuntimeDirectory{"cannot lock " + path + ": other supervisors keep removing it"};
}

}  // namespace

RuntimeDirectory::RuntimeDirectory(std::string path, UniqueFd directory, UniqueFd lock, bool was_made)
    : path_(std::move(path)), directory_(std::move(directory)), lock_(std::move(lock)), was_made_(was_made) {}

void RuntimeDirectory::remove() {
    if (!lock_) return;
    ::unlinkat(directory_.get(), lock_file.data(), 0);
    if (was_made_) ::rmdir(path_.c_str());
    lock_.reset();
}

RuntimeDirectoryClaim claim_runtime_directory(std::span<const std::string> candidates) {
    std::string reasons;
    for (const std::string& candidate : candidates) {
        RuntimeDirectoryClaim claimed = claim(candidate);
        const auto* none = std::get_if<NoRuntimeDirectory>(&claimed);
        if (none == nullptr) return claimed;
        reasons += (reasons.empty() ? "" : "; ") + none->reason;
    }
    return NoRuntimeDirectory{reasons};
}

}  // namespace holdfast::os
