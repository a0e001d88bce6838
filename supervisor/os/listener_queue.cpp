#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <linux/sock_diag.h>
#include <linux/unix_diag.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <sys/stat.h>

#include <array>
#include <cstddef>
#include <cstring>
#include <span>

#include "os/listener.hpp"

namespace holdfast::os {
namespace {

// For a listening socket these two fields of tcp_info contain the queue (tcp_get_info in the kernel; ss(8) relies on
// it).
std::optional<Queue> internet_queue(int fd) {
    tcp_info info{};
    socklen_t size = sizeof info;
    if (::getsockopt(fd, IPPROTO_TCP, TCP_INFO, &info, &size) != 0 || info.tcpi_state != TCP_LISTEN)
        return std::nullopt;
    return Queue{static_cast<int>(info.tcpi_sacked), static_cast<int>(info.tcpi_unacked)};
}

struct DiagnosisRequest {
    nlmsghdr header{};
    unix_diag_req body{};
};

std::optional<Queue> read_answer(std::span<const std::byte> answer) {
    nlmsghdr header{};
    if (answer.size() < NLMSG_LENGTH(sizeof(unix_diag_msg))) return std::nullopt;
    std::memcpy(&header, answer.data(), sizeof header);
    if (header.nlmsg_type != SOCK_DIAG_BY_FAMILY || header.nlmsg_len > answer.size()) return std::nullopt;
    std::size_t at = NLMSG_LENGTH(sizeof(unix_diag_msg));
    while (at + sizeof(rtattr) <= header.nlmsg_len) {
        rtattr attribute{};
        std::memcpy(&attribute, answer.data() + at, sizeof attribute);
        if (attribute.rta_len < sizeof attribute || at + attribute.rta_len > header.nlmsg_len) return std::nullopt;
        unix_diag_rqlen lengths{};
        if (attribute.rta_type == UNIX_DIAG_RQLEN && attribute.rta_len >= RTA_LENGTH(sizeof lengths)) {
            std::memcpy(&lengths, answer.data() + at + RTA_LENGTH(0), sizeof lengths);
            return Queue{static_cast<int>(lengths.udiag_wqueue), static_cast<int>(lengths.udiag_rqueue)};
        }
        at += RTA_ALIGN(attribute.rta_len);
    }
    return std::nullopt;
}

// Queries sock_diag(7) for exactly one unix socket. nullopt if the kernel was built without it.
std::optional<Queue> local_queue(int fd) {
    struct stat status {};
    if (::fstat(fd, &status) != 0) return std::nullopt;
    const UniqueFd netlink{::socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK, NETLINK_SOCK_DIAG)};
    if (!netlink) return std::nullopt;
    DiagnosisRequest request;
    request.header.nlmsg_len = sizeof request;
    request.header.nlmsg_type = SOCK_DIAG_BY_FAMILY;
    request.header.nlmsg_flags = NLM_F_REQUEST;
    request.body.sdiag_family = AF_UNIX;
    request.body.udiag_states = ~0U;
    request.body.udiag_ino = static_cast<std::uint32_t>(status.st_ino);
    request.body.udiag_show = UDIAG_SHOW_RQLEN;
    request.body.udiag_cookie[0] = ~0U;
    request.body.udiag_cookie[1] = ~0U;
    if (::send(netlink.get(), &request, sizeof request, 0) < 0) return std::nullopt;
    std::array<std::byte, 1024> answer{};
    const ssize_t size = ::recv(netlink.get(), answer.data(), answer.size(), 0);
    if (size <= 0) return std::nullopt;
    return read_answer(std::span(answer).first(static_cast<std::size_t>(size)));
}

}  // namespace

std::optional<Queue> inspect_queue(const Listener& listener) {
    const int fd = listener.fd.get();
    int family = 0;
    socklen_t size = sizeof family;
    if (::getsockopt(fd, SOL_SOCKET, SO_DOMAIN, &family, &size) != 0) return std::nullopt;
    return family == AF_UNIX ? local_queue(fd) : internet_queue(fd);
}

bool restore_backlog(const Listener& listener) {
    return listener.backlog && ::listen(listener.fd.get(), *listener.backlog) == 0;
}

}  // namespace holdfast::os
