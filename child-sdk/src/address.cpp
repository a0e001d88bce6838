#include "address.hpp"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/stat.h>
#include <sys/un.h>

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <cstring>
#include <optional>
#include <stdexcept>
#include <system_error>

namespace holdfast {

namespace {

constexpr int backlog = SOMAXCONN;
constexpr int connect_timeout_ms = 100;  // to this machine; without an answer the queue is full

[[noreturn]] void refuse(std::string_view text) {
    throw std::invalid_argument("cannot listen on \"" + std::string(text) +
                                "\": an address is a port (8080), ip:port (127.0.0.1:8080, [::1]:8080), unix:/path or "
                                "unix:@name");
}

[[noreturn]] void fail(const std::string& what, const Address& address) {
    throw std::system_error(errno, std::generic_category(), "cannot " + what + " " + to_string(address));
}

std::optional<in_port_t> parse_port(std::string_view text) {
    unsigned port = 0;
    const auto [end, failure] = std::from_chars(text.data(), text.data() + text.size(), port);
    if (text.empty() || failure != std::errc{} || end != text.data() + text.size() || port > 65535) return {};
    return htons(static_cast<in_port_t>(port));
}

Address make_unix(std::string_view path, std::string_view whole) {
    Address address;
    auto& name = reinterpret_cast<sockaddr_un&>(address.storage);
    const bool is_abstract = path.starts_with('@');
    if (path.size() < (is_abstract ? 2U : 1U) || path.size() >= sizeof name.sun_path) refuse(whole);
    name.sun_family = AF_UNIX;
    std::ranges::copy(path, name.sun_path);
    if (is_abstract) name.sun_path[0] = '\0';
    address.length = static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + path.size() + (is_abstract ? 0 : 1));
    return address;
}

Address make_v6(const in6_addr& host, in_port_t port) {
    Address address;
    auto& name = reinterpret_cast<sockaddr_in6&>(address.storage);
    name.sin6_family = AF_INET6;
    name.sin6_addr = host;
    name.sin6_port = port;
    address.length = sizeof name;
    return address;
}

Address make_v4(const in_addr& host, in_port_t port) {
    Address address;
    auto& name = reinterpret_cast<sockaddr_in&>(address.storage);
    name.sin_family = AF_INET;
    name.sin_addr = host;
    name.sin_port = port;
    address.length = sizeof name;
    return address;
}

std::string unix_text(const Address& address) {
    const auto& name = reinterpret_cast<const sockaddr_un&>(address.storage);
    if (address.length <= offsetof(sockaddr_un, sun_path)) return "unix:";
    const std::string_view path(name.sun_path, address.length - offsetof(sockaddr_un, sun_path));
    if (path.front() == '\0') return "unix:@" + std::string(path.substr(1));
    return "unix:" + std::string(path.substr(0, path.find('\0')));
}

bool is_any(const Address& address) {
    if (address.storage.ss_family == AF_INET) {
        return reinterpret_cast<const sockaddr_in&>(address.storage).sin_addr.s_addr == INADDR_ANY;
    }
    return IN6_IS_ADDR_UNSPECIFIED(&reinterpret_cast<const sockaddr_in6&>(address.storage).sin6_addr);
}

in_port_t port_of(const Address& address) {
    if (address.storage.ss_family == AF_INET) return reinterpret_cast<const sockaddr_in&>(address.storage).sin_port;
    return reinterpret_cast<const sockaddr_in6&>(address.storage).sin6_port;
}

bool is_loopback(const Address& address) {
    constexpr std::uint32_t network = 0x7f;  // 127.0.0.0/8
    if (address.storage.ss_family == AF_INET) {
        return ntohl(reinterpret_cast<const sockaddr_in&>(address.storage).sin_addr.s_addr) >> 24U == network;
    }
    const in6_addr& host = reinterpret_cast<const sockaddr_in6&>(address.storage).sin6_addr;
    return IN6_IS_ADDR_LOOPBACK(&host) || (IN6_IS_ADDR_V4MAPPED(&host) && host.s6_addr[12] == network);
}

bool is_ip(const Address& address) {
    return address.storage.ss_family == AF_INET || address.storage.ss_family == AF_INET6;
}

// Removes the path of a socket on which no process listens. Other files, and sockets in use, stay.
void remove_stale_path(const Address& address) {
    const auto& name = reinterpret_cast<const sockaddr_un&>(address.storage);
    struct stat status {};
    if (name.sun_path[0] == '\0' || ::lstat(name.sun_path, &status) != 0 || !S_ISSOCK(status.st_mode)) return;
    const UniqueFd probe(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
    if (::connect(probe.get(), address.get(), address.length) != 0 && errno == ECONNREFUSED) ::unlink(name.sun_path);
}

}  // namespace

Address parse_address(std::string_view text) {
    if (text.starts_with("unix:")) return make_unix(text.substr(5), text);
    const std::size_t colon = text.rfind(':');
    const auto port = parse_port(colon == std::string_view::npos ? text : text.substr(colon + 1));
    if (!port) refuse(text);
    std::string host(colon == std::string_view::npos ? "" : text.substr(0, colon));
    if (host.empty()) return make_v6(in6addr_any, *port);
    in_addr v4{};
    if (::inet_pton(AF_INET, host.c_str(), &v4) == 1) return make_v4(v4, *port);
    in6_addr v6{};
    const bool is_bracketed = host.size() > 2 && host.front() == '[' && host.back() == ']';
    if (is_bracketed) host = host.substr(1, host.size() - 2);
    if (!is_bracketed || ::inet_pton(AF_INET6, host.c_str(), &v6) != 1) refuse(text);
    return make_v6(v6, *port);
}

Address address_of(int fd) {
    Address address;
    address.length = sizeof address.storage;
    if (::getsockname(fd, address.get(), &address.length) != 0) return {};
    return address;
}

std::string to_string(const Address& address) {
    char host[INET6_ADDRSTRLEN] = "";
    if (address.storage.ss_family == AF_UNIX) return unix_text(address);
    if (!is_ip(address)) return "not a socket";
    const std::string port = ":" + std::to_string(ntohs(port_of(address)));
    if (address.storage.ss_family == AF_INET) {
        ::inet_ntop(AF_INET, &reinterpret_cast<const sockaddr_in&>(address.storage).sin_addr, host, sizeof host);
        return host + port;
    }
    ::inet_ntop(AF_INET6, &reinterpret_cast<const sockaddr_in6&>(address.storage).sin6_addr, host, sizeof host);
    return std::string("[").append(host).append("]").append(port);
}

bool is_same(const Address& left, const Address& right) {
    if (is_ip(left) && is_ip(right) && is_any(left) && is_any(right)) return port_of(left) == port_of(right);
    return left.storage.ss_family == right.storage.ss_family && to_string(left) == to_string(right);
}

Reach reach_of(const Address& address) {
    if (!is_ip(address)) return Reach::path;
    return is_loopback(address) ? Reach::host : Reach::network;
}

UniqueFd bind_socket(const Address& address, Sharing sharing) {
    if (address.storage.ss_family == AF_UNIX) remove_stale_path(address);
    Address target = address;
    UniqueFd fd(::socket(target.storage.ss_family, SOCK_STREAM | SOCK_CLOEXEC, 0));
    if (!fd && errno == EAFNOSUPPORT && is_ip(address) && is_any(address)) {  // no IPv6 on this machine
        target = make_v4(in_addr{INADDR_ANY}, port_of(address));
        fd = UniqueFd(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
    }
    if (!fd) fail("open a socket for", target);
    const int yes = 1;
    const int no = 0;
    if (is_ip(target)) ::setsockopt(fd.get(), SOL_SOCKET, SO_REUSEADDR, &yes, sizeof yes);
    const bool shares = sharing == Sharing::with_others && is_ip(target);
    if (shares) ::setsockopt(fd.get(), SOL_SOCKET, SO_REUSEPORT, &yes, sizeof yes);
    if (target.storage.ss_family == AF_INET6) ::setsockopt(fd.get(), IPPROTO_IPV6, IPV6_V6ONLY, &no, sizeof no);
    if (::bind(fd.get(), target.get(), target.length) != 0) fail("bind", target);
    return fd;
}

UniqueFd bind_listener(const Address& address, Sharing sharing) {
    UniqueFd fd = bind_socket(address, sharing);
    if (::listen(fd.get(), backlog) != 0) fail("listen on", address);
    return fd;
}

bool is_served(const Address& address) {
    const UniqueFd probe(::socket(address.storage.ss_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
    if (!probe) return false;
    if (::connect(probe.get(), address.get(), address.length) == 0) return true;
    if (errno != EINPROGRESS) return false;
    pollfd answer{.fd = probe.get(), .events = POLLOUT, .revents = 0};
    return ::poll(&answer, 1, connect_timeout_ms) == 0 || (answer.revents & POLLERR) == 0;
}

}  // namespace holdfast
