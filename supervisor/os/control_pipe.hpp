#pragma once

#include <cstdint>

#include "base/result.hpp"
#include "os/packet.hpp"
#include "os/unique_fd.hpp"

namespace holdfast::os {

// The two ends of one worker's control pipe: a SOCK_SEQPACKET socketpair, both ends close-on-exec. Messages go through
// send_packet and receive_packet. The worker's end is given to the launcher and closed here when it has been launched,
// or our end never hangs up.
struct ControlPipe {
    UniqueFd ours;
    UniqueFd workers;
    std::uint64_t workers_inode = 0;  // HOLDFAST_CONTROL_INODE
};

Result<ControlPipe> open_control_pipe();

}  // namespace holdfast::os
