#include "os/packet.hpp"

#include <fcntl.h>
#include <poll.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

#include <array>
#include <cerrno>
#include <cstring>

namespace holdfast::os {
namespace {

// The kernel's SCM_MAX_FD. The buffer has room for all of them: the kernel closes descriptors that do not fit in our
// thread, and with SO_LINGER that close can block.
constexpr std::size_t max_descriptors = 253;

using ControlBuffer = std::array<std::byte, CMSG_SPACE(max_descriptors * sizeof(int)) + CMSG_SPACE(sizeof(ucred))>;

void take_control_messages(msghdr& header, Packet& packet) {
    for (cmsghdr* entry = CMSG_FIRSTHDR(&header); entry != nullptr; entry = CMSG_NXTHDR(&header, entry)) {
        if (entry->cmsg_level != SOL_SOCKET) continue;
        if (entry->cmsg_type == SCM_CREDENTIALS) {
            ucred credentials{};
            std::memcpy(&credentials, CMSG_DATA(entry), sizeof credentials);
            packet.sender = Sender{credentials.pid, credentials.uid};
        }
        if (entry->cmsg_type != SCM_RIGHTS) continue;
        const std::size_t count = (entry->cmsg_len - CMSG_LEN(0)) / sizeof(int);
        for (std::size_t i = 0; i < count; ++i) {
            int fd = -1;
            std::memcpy(&fd, CMSG_DATA(entry) + i * sizeof fd, sizeof fd);
            packet.descriptors.emplace_back(fd);
        }
    }
}

// Distinguishes an empty packet from the end. Other packets may follow an empty one, even after a hang-up.
Arrival classify_empty_read(int fd) {
    pollfd state{fd, POLLRDHUP, 0};
    if (::poll(&state, 1, 0) == 0) return Arrival::empty;
    int unread = 0;
    return ::ioctl(fd, FIONREAD, &unread) == 0 && unread > 0 ? Arrival::empty : Arrival::lost;
}

Arrival classify_receive_error(int error_number) {
    const bool is_passing = error_number == EAGAIN || error_number == ENOMEM || error_number == ENOBUFS;
    return is_passing ? Arrival::nothing : Arrival::lost;
}

bool is_pipe(int fd) { return ::fcntl(fd, F_GETPIPE_SZ) >= 0; }

}  // namespace

Packet receive_packet(int fd, std::span<char> buffer) {
    Packet packet;
    iovec bytes{buffer.data(), buffer.size()};
    alignas(cmsghdr) ControlBuffer control;
    msghdr header{};
    ssize_t size = 0;
    do {
        header = msghdr{};
        header.msg_iov = &bytes;
        header.msg_iovlen = 1;
        header.msg_control = control.data();
        header.msg_controllen = control.size();
        size = ::recvmsg(fd, &header, MSG_DONTWAIT | MSG_CMSG_CLOEXEC);
        // ECONNRESET is reported once if the peer closed the socket without reading everything that we sent. Packets
        // that it sent before can still be read.
    } while (size < 0 && (errno == EINTR || errno == ECONNRESET));
    if (size < 0) {
        packet.arrival = classify_receive_error(errno);
        return packet;
    }
    take_control_messages(header, packet);
    packet.is_truncated = (header.msg_flags & MSG_TRUNC) != 0;
    packet.lost_descriptors = (header.msg_flags & MSG_CTRUNC) != 0;
    packet.bytes = std::string_view(buffer.data(), static_cast<std::size_t>(size));
    packet.arrival = size > 0                     ? Arrival::message
                     : packet.descriptors.empty() ? classify_empty_read(fd)
                                                  : Arrival::empty;
    return packet;
}

SendResult send_packet(int fd, std::string_view bytes) {
    ssize_t size = 0;
    do {
        size = ::send(fd, bytes.data(), bytes.size(), MSG_DONTWAIT | MSG_NOSIGNAL);
    } while (size < 0 && errno == EINTR);
    if (size >= 0) return SendResult::sent;
    const bool is_full = errno == EAGAIN || errno == ENOBUFS || errno == ENOMEM || errno == EMSGSIZE;
    return is_full ? SendResult::full : SendResult::lost;
}

void disarm_linger(int fd) {
    const linger off{0, 0};
    ::setsockopt(fd, SOL_SOCKET, SO_LINGER, &off, sizeof off);
}

std::vector<UniqueFd> close_received(std::vector<UniqueFd> descriptors) {
    std::vector<UniqueFd> slow;
    for (UniqueFd& fd : descriptors) {
        if (is_pipe(fd.get())) {
            fd.reset();
        } else {
            disarm_linger(fd.get());
            slow.push_back(std::move(fd));
        }
    }
    return slow;
}

std::vector<UniqueFd> close_channel(UniqueFd channel) {
    std::vector<UniqueFd> slow;
    if (!channel) return slow;
    ::shutdown(channel.get(), SHUT_RDWR);  // no new packets arrive; those in the queue can still be read
    std::array<char, 1> buffer{};
    while (true) {
        Packet packet = receive_packet(channel.get(), buffer);
        if (packet.arrival == Arrival::nothing || packet.arrival == Arrival::lost) return slow;
        for (UniqueFd& fd : close_received(std::move(packet.descriptors))) slow.push_back(std::move(fd));
    }
}

}  // namespace holdfast::os
