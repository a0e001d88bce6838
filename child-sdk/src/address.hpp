#pragma once

#include <sys/socket.h>

#include <string>
#include <string_view>

#include "unique_fd.hpp"

namespace holdfast {

// A socket address, for bind(2) and getsockname(2).
struct Address {
    sockaddr_storage storage{};
    socklen_t length = 0;

    const sockaddr* get() const { return reinterpret_cast<const sockaddr*>(&storage); }
    sockaddr* get() { return reinterpret_cast<sockaddr*>(&storage); }
};

// "8080", ":8080", "127.0.0.1:8080", "[::1]:8080", "unix:/path", "unix:@abstract". Throws std::invalid_argument.
Address parse_address(std::string_view text);

// The address that the socket is bound to; family AF_UNSPEC if `fd` is not a socket.
Address address_of(int fd);

// The text form that parse_address() reads.
std::string to_string(const Address& address);

// Whether both addresses are the same endpoint. The IPv4 and IPv6 wildcard addresses of a port are equal.
bool is_same(const Address& left, const Address& right);

// From where clients can reach the address, from near to far.
enum class Reach { path, host, network };  // path: a unix address
Reach reach_of(const Address& address);

// Creates a listening socket, close-on-exec. Replaces a unix path on which no process listens. Throws
// std::system_error.
enum class Sharing { alone, with_others };  // with_others: SO_REUSEPORT, each socket has its own queue
UniqueFd bind_listener(const Address& address, Sharing sharing = Sharing::alone);

// The same without listening: no client can connect yet.
UniqueFd bind_socket(const Address& address, Sharing sharing);

// Whether a process accepts connections at the address.
bool is_served(const Address& address);

}  // namespace holdfast
