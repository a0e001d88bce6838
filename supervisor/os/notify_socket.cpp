#include "os/notify_socket.hpp"

#include <sys/random.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstdint>
#include <cstdio>
#include <utility>

#include "os/errno_error.hpp"
#include "os/socket_address.hpp"

namespace holdfast::os {
namespace {

std::string unguessable_name() {
    std::array<std::uint64_t, 2> random{};
    // cannot fail for so few bytes
    [[maybe_unused]] const ssize_t filled = ::getrandom(random.data(), sizeof random, 0);
    std::array<char, 48> name{};
    std::snprintf(name.data(), name.size(), "holdfast-%016llx%016llx", static_cast<unsigned long long>(random[0]),
                  static_cast<unsigned long long>(random[1]));
    return name.data();
}

}  // namespace

Result<NotifySocket> NotifySocket::open(const std::string& directory, std::string_view worker) {
    UniqueFd fd{::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0)};
    if (!fd) return errno_error("create a notify socket");
    const int on = 1;
    if (::setsockopt(fd.get(), SOL_SOCKET, SO_PASSCRED, &on, sizeof on) != 0) {
        return errno_error("enable SO_PASSCRED on a notify socket");
    }
    const std::string path = directory + "/notify-" + std::string(worker);
    const auto socket_address = unix_address(path);
    if (directory.empty() || !socket_address) {
        const std::string name = unguessable_name();
        const auto abstract = abstract_address(name);
        if (!abstract) return abstract.error();
        if (::bind(fd.get(), abstract->get(), abstract->length) != 0) return errno_error("bind a notify socket");
        return NotifySocket(std::move(fd), "@" + name);
    }
    int bound = ::bind(fd.get(), socket_address->get(), socket_address->length);
    if (bound != 0 && errno == EADDRINUSE) {
        ::unlink(path.c_str());
        bound = ::bind(fd.get(), socket_address->get(), socket_address->length);
    }
    if (bound != 0) return errno_error("bind " + path);
    NotifySocket socket(std::move(fd), path);
    if (::chmod(path.c_str(), 0666) != 0) return errno_error("set the mode of " + path);
    return socket;
}

NotifySocket::NotifySocket(NotifySocket&& other) noexcept
    : fd_(std::move(other.fd_)), address_(std::exchange(other.address_, {})) {}

NotifySocket& NotifySocket::operator=(NotifySocket&& other) noexcept {
    if (this == &other) return *this;
    remove();
    fd_ = std::move(other.fd_);
    address_ = std::exchange(other.address_, {});
    return *this;
}

NotifySocket::~NotifySocket() { remove(); }

std::vector<UniqueFd> NotifySocket::close_channel() {
    remove();
    return os::close_channel(std::move(fd_));
}

void NotifySocket::remove() noexcept {
    if (address_.starts_with('/')) ::unlink(address_.c_str());
    address_.clear();
}

}  // namespace holdfast::os
