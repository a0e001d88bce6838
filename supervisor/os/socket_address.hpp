#pragma once

#include <sys/socket.h>
#include <sys/un.h>

#include <cstdint>
#include <string>
#include <string_view>

#include "base/result.hpp"

namespace holdfast::os {

// A socket address in the form that system calls use.
struct SocketAddress {
    sockaddr_storage storage{};
    socklen_t length = 0;

    const sockaddr* get() const { return reinterpret_cast<const sockaddr*>(&storage); }
    sockaddr* get() { return reinterpret_cast<sockaddr*>(&storage); }
    int family() const { return storage.ss_family; }
};

// `host` is a numeric IPv4 or IPv6 address.
Result<SocketAddress> internet_address(const std::string& host, std::uint16_t port);

// Names that are too long for a unix address fail with ENAMETOOLONG.
Result<SocketAddress> unix_address(std::string_view path);
Result<SocketAddress> abstract_address(std::string_view name);

// The address that a socket is bound to.
Result<SocketAddress> bound_address(int socket_fd);

// "127.0.0.1:80", "[::1]:80", "unix:/run/app.sock", "unix:@name".
std::string to_text(const SocketAddress& address);
std::uint16_t port_of(const SocketAddress& address);  // 0 if the address has no port

}  // namespace holdfast::os
