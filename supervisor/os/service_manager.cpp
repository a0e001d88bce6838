#include "os/service_manager.hpp"

#include <sys/socket.h>

#include <cerrno>
#include <cstdlib>
#include <string>

#include "os/errno_error.hpp"

namespace holdfast::os {

Result<ServiceManager> ServiceManager::from_environment() {
    ServiceManager manager;
    const char* value = std::getenv("NOTIFY_SOCKET");
    const std::string name = value == nullptr ? "" : value;
    ::unsetenv("NOTIFY_SOCKET");
    if (name.empty()) return manager;
    if (name[0] != '/' && name[0] != '@') {
        return error("cannot notify the service manager: NOTIFY_SOCKET is neither a path nor an abstract name");
    }
    const auto address = name[0] == '@' ? abstract_address(std::string_view(name).substr(1)) : unix_address(name);
    if (!address) return address.error();
    manager.address_ = *address;
    manager.socket_.reset(::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
    if (!manager.socket_) return errno_error("create a socket for the service manager");
    return manager;
}

SendResult ServiceManager::notify(std::string_view message) const {
    if (!socket_) return SendResult::lost;
    ssize_t size = 0;
    do {
        // The socket is not connected, so a restarted service manager is reached again.
        size = ::sendto(socket_.get(), message.data(), message.size(), MSG_DONTWAIT | MSG_NOSIGNAL, address_.get(),
                        address_.length);
    } while (size < 0 && errno == EINTR);
    if (size >= 0) return SendResult::sent;
    return errno == EAGAIN || errno == ENOBUFS || errno == ENOMEM ? SendResult::full : SendResult::lost;
}

}  // namespace holdfast::os
