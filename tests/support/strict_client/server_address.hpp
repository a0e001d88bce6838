#pragma once

#include <sys/socket.h>

#include <string>
#include <string_view>

#include "base/result.hpp"

namespace holdfast::test {

// The address that a client connects to: `127.0.0.1:8080`, `[::1]:8080`, `unix:/run/app.sock`, `unix:@abstract`. No
// host names: a client that measures must not wait for a resolver.
struct ServerAddress {
    sockaddr_storage storage{};
    socklen_t length = 0;
    std::string text;

    int family() const { return storage.ss_family; }
    const sockaddr* data() const { return reinterpret_cast<const sockaddr*>(&storage); }
};

Result<ServerAddress> parse_server_address(std::string_view text);

}  // namespace holdfast::test
