#include "os/listener_claim.hpp"

#include <dirent.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
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

// Scans one process. `left` is the number of descriptors that may still be inspected, over all processes.
ListenerClaim scan_descriptors(const std::string& folder, std::span<const std::uint64_t> inodes, int& left) {
    const Directory descriptors(::opendir(folder.c_str()), &::closedir);
    if (!descriptors) return ListenerClaim::not_known;
    ListenerClaim found = ListenerClaim::missing;
    while (const dirent* entry = ::readdir(descriptors.get())) {
        if (entry->d_name[0] == '.') continue;
        if (--left < 0) return ListenerClaim::not_known;
        std::array<char, 64> target{};
        const ssize_t size = ::readlinkat(::dirfd(descriptors.get()), entry->d_name, target.data(), target.size());
        if (size <= 0) {
            found = ListenerClaim::not_known;  // just closed, or no permission
        } else if (const auto inode = inode_in({target.data(), static_cast<std::size_t>(size)});
                   inode != 0 && std::ranges::find(inodes, inode) != inodes.end()) {
            return ListenerClaim::held;
        }
    }
    return found;
}

}  // namespace

ListenerClaim find_listener_claim(std::span<const pid_t> processes, std::span<const std::uint64_t> inodes,
                                  const std::string& proc) {
    if (processes.empty() || inodes.empty()) return ListenerClaim::not_known;
    ListenerClaim all = ListenerClaim::missing;
    int left = max_descriptors;
    for (const pid_t process : processes) {
        const std::string folder = proc + "/" + std::to_string(process) + "/fd";
        // A descriptor that is closed during the scan may have been duplicated to a number that was already passed:
        // scan again.
        ListenerClaim one = ListenerClaim::not_known;
        for (int attempt = 0; attempt < max_attempts && one == ListenerClaim::not_known && left >= 0; ++attempt) {
            one = scan_descriptors(folder, inodes, left);
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
