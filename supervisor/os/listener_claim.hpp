#pragma once

#include <sys/types.h>

#include <cstdint>
#include <span>
#include <string>

namespace holdfast::os {

// Whether processes have a listener open, according to /proc.
enum class ListenerClaim {
    held,       // a process has one of the sockets open
    missing,    // all processes were inspected, and none has one open
    not_known,  // a process could not be inspected, or the limit was reached
};

// `inodes` are the inodes of the sockets. `proc` is the path of /proc, for tests. Costs about 2 us for each open
// descriptor; at most `max_descriptors` are inspected, no matter how many the processes have open.
inline constexpr int max_descriptors = 16384;
ListenerClaim find_listener_claim(std::span<const pid_t> processes, std::span<const std::uint64_t> inodes,
                                  const std::string& proc = "/proc");

// 0 if it is not an open socket.
std::uint64_t socket_inode(int socket_fd);

}  // namespace holdfast::os
