#pragma once

#include <sys/types.h>

#include <optional>
#include <span>
#include <string_view>
#include <vector>

#include "os/unique_fd.hpp"

namespace holdfast::os {

// Who sent a packet, by the kernel's word. The pid may be gone already; the uid cannot lie.
struct Sender {
    pid_t pid = 0;
    uid_t uid = 0;
};

enum class Arrival {
    message,
    empty,    // a packet without a byte: malformed, not an end
    nothing,  // none there now
    lost,     // hung up: nothing more can ever come
};

struct Packet {
    Arrival arrival = Arrival::nothing;
    std::string_view bytes;             // in the caller's buffer
    std::vector<UniqueFd> descriptors;  // close-on-exec; to be dropped by `close_received`
    bool is_truncated = false;          // the packet was longer than the buffer
    bool lost_descriptors = false;      // it carried more descriptors than we could take
    std::optional<Sender> sender;       // sockets with SO_PASSCRED
};

// Reads one packet of a unix SEQPACKET or datagram socket, never blocking, whatever flags the socket has. `lost` comes
// only after everything that was written before the hang-up.
Packet receive_packet(int fd, std::span<char> buffer);

enum class SendResult {
    sent,
    full,  // the reader does not read
    lost,  // there is no reader any more
};

// Writes one packet, never blocking, never raising SIGPIPE.
SendResult send_packet(int fd, std::string_view bytes);

// A socket's close() waits for its unread bytes where its owner set SO_LINGER (4 s measured). Turns that off; nothing
// happens to other descriptors. The setting is shared with whoever else holds the socket.
void disarm_linger(int fd);

// Drops descriptors that somebody sent us, without waiting: sockets are disarmed and closed, pipes and anonymous files
// closed. Returned are those whose close() belongs to a file system or a device, which can hang: close them in a thread
// that may.
[[nodiscard]] std::vector<UniqueFd> close_received(std::vector<UniqueFd> descriptors);

// Closes a channel for good. What its peer wrote and nobody read may carry descriptors, which the kernel would close
// here and now: they are taken out first and dropped as above. Returned are those that may hang.
[[nodiscard]] std::vector<UniqueFd> close_channel(UniqueFd channel);

}  // namespace holdfast::os
