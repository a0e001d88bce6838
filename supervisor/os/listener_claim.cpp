#include "os/listener_claim.hpp"

#include <dirent.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <charconv>
#include <memory>
#include <string_view>

namespace holdfast::os {
namespace {

constexpr int max_attempts = 3;  // for a process whose descriptors change during the scan

using Directory = std::unique_ptr<DIR, int (*)(DIR*)>;

// Parses the inode of "socket:[123]"; 0 for any other link.
std::uint64_t inode_in(std::string_view link) {
    constexpr std::string_view prefix = "socket:[";
    std::uint64_t inode = 0;
    if (link.starts_with(prefix)) std::from_chars(link.data() + prefix.size(), link.data() + link.size(), inode);
    return inode;
}

struct Scanned {
    ListenerClaim claim = ListenerClaim::missing;
    bool any = false;  // at least one descriptor was listed
};

// Scans the descriptors of one thread. `left` is the number that may still be inspected, over all processes.
Scanned scan_descriptors(const std::string& folder, std::span<const std::uint64_t> inodes, int& left) {
    const Directory descriptors(::opendir(folder.c_str()), &::closedir);
    if (!descriptors) return {ListenerClaim::not_known};
    Scanned scanned;
    errno = 0;
    while (const dirent* entry = ::readdir(descriptors.get())) {
        if (entry->d_name[0] == '.') continue;
        if (--left < 0) return {ListenerClaim::not_known, true};
        scanned.any = true;
        std::array<char, 64> target{};
        const ssize_t size = ::readlinkat(::dirfd(descriptors.get()), entry->d_name, target.data(), target.size());
        if (size <= 0) {
            scanned.claim = ListenerClaim::not_known;  // just closed, or no permission
        } else if (const auto inode = inode_in({target.data(), static_cast<std::size_t>(size)});
                   inode != 0 && std::ranges::find(inodes, inode) != inodes.end()) {
            return {ListenerClaim::held, true};
        }
        errno = 0;
    }
    if (errno != 0) scanned.claim = ListenerClaim::not_known;
    return scanned;
}

// The descriptors of a process whose first thread has ended are shown under its other threads only.
ListenerClaim scan_other_threads(const std::string& process, std::span<const std::uint64_t> inodes, int& left) {
    const Directory threads(::opendir((process + "/task").c_str()), &::closedir);
    if (!threads) return errno == ENOENT ? ListenerClaim::missing : ListenerClaim::not_known;
    ListenerClaim claim = ListenerClaim::missing;
    while (const dirent* entry = ::readdir(threads.get())) {
        if (entry->d_name[0] == '.') continue;
        const Scanned scanned = scan_descriptors(process + "/task/" + entry->d_name + "/fd", inodes, left);
        if (scanned.any) return scanned.claim;
        if (scanned.claim == ListenerClaim::not_known) claim = ListenerClaim::not_known;
    }
    return claim;
}

ListenerClaim scan_process(const std::string& process, std::span<const std::uint64_t> inodes, int& left) {
    const Scanned scanned = scan_descriptors(process + "/fd", inodes, left);
    if (scanned.any || scanned.claim != ListenerClaim::missing) return scanned.claim;
    return scan_other_threads(process, inodes, left);
}

}  // namespace

ListenerClaim find_listener_claim(std::span<const pid_t> processes, std::span<const std::uint64_t> inodes,
                                  const std::string& proc) {
    if (processes.empty() || inodes.empty()) return ListenerClaim::not_known;
    ListenerClaim all = ListenerClaim::missing;
    int left = max_descriptors;
    for (const pid_t process : processes) {
        const std::string folder = proc + "/" + std::to_string(process);
        // A descriptor that is closed during the scan may have been duplicated to a number that was already passed:
        // scan again.
        ListenerClaim one = ListenerClaim::not_known;
        for (int attempt = 0; attempt < max_attempts && one == ListenerClaim::not_known && left >= 0; ++attempt) {
            one = scan_process(folder, inodes, left);
        }
        if (one == ListenerClaim::held) return ListenerClaim::held;
        if (one == ListenerClaim::not_known) all = ListenerClaim::not_known;
        if (left < 0) break;
    }
    return all;
}

std::uint64_t socket_inode(int socket_fd) {
    struct stat status {};
    return ::fstat(socket_fd, &status) == 0 && S_ISSOCK(status.st_mode) ? status.st_ino : 0;
}

}  // namespace holdfast::os
