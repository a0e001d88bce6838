#pragma once

#include <sys/types.h>

#include <cstdint>
#include <span>
#include <string>

namespace holdfast::os {

// What /proc shows of some processes and some sockets.
enum class ListenerClaim {
    held,       // a process has one of the sockets open
    missing,    // all of the processes could be looked at, and none has
    not_known,  // one could not, or there was too much to look at
};

// `inodes` are the sockets' own. `proc` is the place of /proc, for tests. Costs about 2 us for each open descriptor,
// and never more than for `max_descriptors` whatever the processes have open.
inline constexpr int max_descriptors = 16384;
ListenerClaim find_listener_claim(std::span<const pid_t> processes, std::span<const std::uint64_t> inodes,
                                  const std::string& proc = "/proc");

// 0 where it is no open socket.
std::uint64_t socket_inode(int socket_fd);

}  // namespace holdfast::os
