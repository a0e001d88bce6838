#include "os/socket_address.hpp"

#include <arpa/inet.h>
#include <netdb.h>
#include <netinet/in.h>

#include <array>
#include <cerrno>
#include <cstddef>
#include <cstring>

#include "os/errno_error.hpp"

namespace holdfast::os {
namespace {

constexpr socklen_t path_offset = offsetof(sockaddr_un, sun_path);
constexpr std::size_t path_room = sizeof(sockaddr_un) - path_offset;

// Reads a sockaddr_storage as another address type. Copies the bytes, because their type is sockaddr_storage.
template <class Address>
Address view(const SocketAddress& address) {
    Address copy{};
    std::memcpy(&copy, &address.storage, sizeof copy);
    return copy;
}

std::string unix_text(const SocketAddress& address) {
    const auto copy = view<sockaddr_un>(address);
    if (address.length <= path_offset) return "unix:(unnamed)";
    const std::size_t size = address.length - path_offset;
    if (copy.sun_path[0] == '\0') return "unix:@" + std::string(copy.sun_path + 1, size - 1);
    return "unix:" + std::string(copy.sun_path, ::strnlen(copy.sun_path, size));
}

}  // namespace

Result<SocketAddress> internet_address(const std::string& host, std::uint16_t port) {
    addrinfo hints{};
    hints.ai_flags = AI_NUMERICHOST | AI_NUMERICSERV | AI_PASSIVE;
    hints.ai_socktype = SOCK_STREAM;
    addrinfo* found = nullptr;
    const int problem = ::getaddrinfo(host.c_str(), std::to_string(port).c_str(), &hints, &found);
    if (problem != 0) return error("cannot parse the address " + host + ": " + ::gai_strerror(problem), EINVAL);
    SocketAddress address;
    std::memcpy(&address.storage, found->ai_addr, found->ai_addrlen);
    address.length = found->ai_addrlen;
    ::freeaddrinfo(found);
    return address;
}

Result<SocketAddress> unix_address(std::string_view path) {
    if (path.empty() || path.size() >= path_room) {
        return errno_error("use " + std::string(path) + " as a unix address", ENAMETOOLONG);
    }
    sockaddr_un name{};
    name.sun_family = AF_UNIX;
    path.copy(name.sun_path, path.size());
    SocketAddress address;
    std::memcpy(&address.storage, &name, sizeof name);
    address.length = static_cast<socklen_t>(path_offset + path.size() + 1);
    return address;
}

Result<SocketAddress> abstract_address(std::string_view name) {
    if (name.size() >= path_room) return errno_error("use @" + std::string(name) + " as a unix address", ENAMETOOLONG);
    sockaddr_un whole{};
    whole.sun_family = AF_UNIX;
    name.copy(whole.sun_path + 1, name.size());
    SocketAddress address;
    std::memcpy(&address.storage, &whole, sizeof whole);
    address.length = static_cast<socklen_t>(path_offset + 1 + name.size());
    return address;
}

Result<SocketAddress> bound_address(int socket_fd) {
    SocketAddress address;
    address.length = sizeof address.storage;
    if (::getsockname(socket_fd, address.get(), &address.length) != 0) return errno_error("read a socket's address");
    return address;
}

std::uint16_t port_of(const SocketAddress& address) {
    if (address.family() == AF_INET) return ntohs(view<sockaddr_in>(address).sin_port);
    if (address.family() == AF_INET6) return ntohs(view<sockaddr_in6>(address).sin6_port);
    return 0;
}

std::string to_text(const SocketAddress& address) {
    if (address.family() == AF_UNIX) return unix_text(address);
    std::array<char, NI_MAXHOST> host{};
    const int problem =
        ::getnameinfo(address.get(), address.length, host.data(), host.size(), nullptr, 0, NI_NUMERICHOST);
    if (problem != 0) return "an address of family " + std::to_string(address.family());
    const std::string port = std::to_string(port_of(address));
    if (address.family() == AF_INET6) return "[" + std::string(host.data()) + "]:" + port;
    return std::string(host.data()) + ":" + port;
}

}  // namespace holdfast::os
