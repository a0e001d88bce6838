#include "control_pipe.hpp"

#include <poll.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "wire/wire.hpp"

namespace holdfast {

namespace {

constexpr int write_timeout_ms = 1000;  // a supervisor that runs reads within milliseconds

UniqueFd open_creator(int fd) {
    ucred creator{};
    socklen_t size = sizeof creator;
    if (::getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &creator, &size) != 0) return {};
    if (creator.pid <= 0 || creator.pid == ::getpid()) return {};
    return UniqueFd(static_cast<int>(::syscall(SYS_pidfd_open, creator.pid, 0)));  // close-on-exec
}

}  // namespace

ControlPipe::ControlPipe(UniqueFd fd) : fd_(std::move(fd)), supervisor_(open_creator(fd_.get())) {}

void ControlPipe::send(const Report& report, Delivery delivery) const {
    if (!exists()) return;
    const std::string packet = wire::encode(report);
    if (packet.empty()) return;
    while (::send(fd_.get(), packet.data(), packet.size(), MSG_DONTWAIT | MSG_NOSIGNAL) < 0) {
        if (errno == EINTR) continue;
        if (errno != EAGAIN || delivery == Delivery::best_effort) return;
        pollfd room{.fd = fd_.get(), .events = POLLOUT, .revents = 0};
        if (::poll(&room, 1, write_timeout_ms) == 0) return;
    }
}

std::optional<Command> ControlPipe::receive() const {
    // Commands are short. A longer packet is truncated by the kernel and is not a command of this version. recv(2)
    // accepts no descriptors: the kernel closes those that come with a message.
    std::array<char, 1024> buffer;
    for (;;) {
        const ssize_t size = ::recv(fd_.get(), buffer.data(), buffer.size(), MSG_DONTWAIT | MSG_TRUNC);
        if (size < 0 && errno == EINTR) continue;
        if (size <= 0) return std::nullopt;  // 0 is the end or an empty packet; is_lost() distinguishes them
        if (static_cast<std::size_t>(size) > buffer.size()) continue;
        const auto decoded = wire::decode_command({buffer.data(), static_cast<std::size_t>(size)});
        if (const auto* command = std::get_if<Command>(&decoded)) return *command;
    }
}

bool ControlPipe::is_lost() const {
    pollfd state{.fd = fd_.get(), .events = POLLRDHUP, .revents = 0};
    return ::poll(&state, 1, 0) > 0 && (state.revents & (POLLRDHUP | POLLHUP | POLLERR)) != 0;
}

}  // namespace holdfast
