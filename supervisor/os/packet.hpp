#pragma once

#include <sys/types.h>

#include <optional>
#include <span>
#include <string_view>
#include <vector>

#include "os/unique_fd.hpp"

namespace holdfast::os {

// The sender of a packet, reported by the kernel. The process may have exited already; the uid cannot be forged.
struct Sender {
    pid_t pid = 0;
    uid_t uid = 0;
};

enum class Arrival {
    message,
    empty,    // a packet of zero bytes: malformed, but not the end
    nothing,  // no packet is available now
    lost,     // hung up: no packet can arrive any more
};

struct Packet {
    Arrival arrival = Arrival::nothing;
    std::string_view bytes;             // points into the caller's buffer
    std::vector<UniqueFd> descriptors;  // close-on-exec; close them with `close_received`
    bool is_truncated = false;          // the packet was longer than the buffer
    bool lost_descriptors = false;      // the packet had more descriptors than could be received
    std::optional<Sender> sender;       // for sockets with SO_PASSCRED
};

// Reads one packet from a unix SEQPACKET or datagram socket. Never blocks, no matter which flags the socket has. `lost`
// is returned only after everything that was sent before the hang-up.
Packet receive_packet(int fd, std::span<char> buffer);

enum class SendResult {
    sent,
    full,  // the peer does not read
    lost,  // the peer has closed the socket
};

// Sends one packet. Never blocks and never raises SIGPIPE.
SendResult send_packet(int fd, std::string_view bytes);

// close() of a socket waits for unread bytes if its owner set SO_LINGER (4 s measured). This turns it off; other kinds
// of descriptors are not affected. The setting is shared with all processes that have the socket open.
void disarm_linger(int fd);

// Closes received pipes, and returns all other descriptors: close them on a separate thread. Their close() can hang, in
// a file system, a device or a socket (SO_LINGER, also of a socket in the queue of another one), and so can every call
// that would tell which of them do, such as fstat(2). A pipe is recognised without asking its file system.
[[nodiscard]] std::vector<UniqueFd> close_received(std::vector<UniqueFd> descriptors);

// Closes a channel for good. Unread packets may carry descriptors, which the kernel would close synchronously: they are
// received first and closed with close_received. Returns those whose close() can hang.
[[nodiscard]] std::vector<UniqueFd> close_channel(UniqueFd channel);

}  // namespace holdfast::os
