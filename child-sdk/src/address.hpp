#pragma once

#include <sys/socket.h>

#include <string>
#include <string_view>

#include "unique_fd.hpp"

namespace holdfast {

// Where a listener is bound: what bind(2) takes and getsockname(2) gives.
struct Address {
    sockaddr_storage storage{};
    socklen_t length = 0;

    const sockaddr* get() const { return reinterpret_cast<const sockaddr*>(&storage); }
    sockaddr* get() { return reinterpret_cast<sockaddr*>(&storage); }
};

// "8080", ":8080", "127.0.0.1:8080", "[::1]:8080", "unix:/path", "unix:@abstract". Throws std::invalid_argument.
Address parse_address(std::string_view text);

// The address that the socket is bound to; of family AF_UNSPEC if it is no socket.
Address address_of(int fd);

// As a person writes it, and parse_address reads it.
std::string to_string(const Address& address);

// Whether a client would reach the same place. All addresses of a port are one, with IPv6 or without.
bool is_same(const Address& left, const Address& right);

// A listening socket, close-on-exec. A unix path that nobody listens on any more is taken over. Throws
// std::system_error.
enum class Sharing { alone, with_others };  // with others: SO_REUSEPORT, each a queue of its own
UniqueFd bind_listener(const Address& address, Sharing sharing = Sharing::alone);

}  // namespace holdfast
