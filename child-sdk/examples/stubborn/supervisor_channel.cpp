#include "supervisor_channel.hpp"

#include <fcntl.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstddef>
#include <cstdlib>
#include <cstring>

namespace {

int connect_notify_socket() {
    const char* path = std::getenv("NOTIFY_SOCKET");
    sockaddr_un address{};
    if (path == nullptr || std::strlen(path) >= sizeof address.sun_path) return -1;
    const std::string_view name = path;
    address.sun_family = AF_UNIX;
    std::ranges::copy(name, address.sun_path);
    if (name.starts_with('@')) address.sun_path[0] = '\0';
    const int fd = ::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    const auto length = static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + name.size());
    if (::connect(fd, reinterpret_cast<sockaddr*>(&address), length) == 0) return fd;
    ::close(fd);
    return -1;
}

int control_pipe() {
    const char* number = std::getenv("HOLDFAST_CONTROL_FD");
    return number == nullptr ? -1 : std::atoi(number);
}

}  // namespace

SupervisorChannel::SupervisorChannel(Transport transport)
    : fd_(transport == Transport::control_pipe ? control_pipe() : connect_notify_socket()) {}

bool SupervisorChannel::send(std::string_view message, const std::vector<int>& descriptors) const {
    iovec text{.iov_base = const_cast<char*>(message.data()), .iov_len = message.size()};
    std::vector<char> control(CMSG_SPACE(descriptors.size() * sizeof(int)));
    msghdr header{};
    header.msg_iov = &text;
    header.msg_iovlen = 1;
    if (!descriptors.empty()) {
        header.msg_control = control.data();
        header.msg_controllen = control.size();
        cmsghdr* rights = CMSG_FIRSTHDR(&header);
        rights->cmsg_level = SOL_SOCKET;
        rights->cmsg_type = SCM_RIGHTS;
        rights->cmsg_len = CMSG_LEN(descriptors.size() * sizeof(int));
        std::memcpy(CMSG_DATA(rights), descriptors.data(), descriptors.size() * sizeof(int));
    }
    return ::sendmsg(fd_, &header, MSG_DONTWAIT | MSG_NOSIGNAL) >= 0;
}

std::string SupervisorChannel::receive() {
    std::array<char, 4096> buffer;
    const ssize_t size = ::recv(fd_, buffer.data(), buffer.size(), MSG_DONTWAIT);
    if (size == 0) fd_ = -1;
    return size > 0 ? std::string(buffer.data(), static_cast<std::size_t>(size)) : "";
}
