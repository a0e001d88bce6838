#pragma once

#include <cstdint>

#include "base/result.hpp"
#include "os/packet.hpp"
#include "os/unique_fd.hpp"

namespace holdfast::os {

// Both ends of one worker's control pipe: a SOCK_SEQPACKET socketpair, both ends close-on-exec. Messages are sent with
// send_packet and received with receive_packet. The worker's end is passed to the launcher and must be closed here
// after the launch; otherwise our end never sees a hang-up.
struct ControlPipe {
    UniqueFd ours;
    UniqueFd workers;
    std::uint64_t workers_inode = 0;  // value of HOLDFAST_CONTROL_INODE
};

Result<ControlPipe> open_control_pipe();

}  // namespace holdfast::os
