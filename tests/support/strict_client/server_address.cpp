#include "server_address.hpp"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/un.h>

#include <charconv>
#include <cstddef>
#include <cstring>

namespace holdfast::test {
namespace {

Error not_an_address(std::string_view text) {
    return error("cannot connect to " + std::string(text) +
                 ": not an address; use 127.0.0.1:8080, [::1]:8080, unix:/path or unix:@abstract");
}

template <class Address>
void store(ServerAddress& result, const Address& address, std::size_t length) {
    std::memcpy(&result.storage, &address, sizeof address);
    result.length = static_cast<socklen_t>(length);
}

Result<ServerAddress> parse_unix(std::string_view text, std::string_view path) {
    sockaddr_un address{};
    if (path.empty() || path.size() >= sizeof address.sun_path) return not_an_address(text);
    address.sun_family = AF_UNIX;
    path.copy(address.sun_path, path.size());
    if (path.front() == '@') address.sun_path[0] = '\0';
    ServerAddress result{.text = std::string(text)};
    const std::size_t terminator = path.front() == '@' ? 0 : 1;
    store(result, address, offsetof(sockaddr_un, sun_path) + path.size() + terminator);
    return result;
}

}  // namespace

Result<ServerAddress> parse_server_address(std::string_view text) {
    if (text.starts_with("unix:")) return parse_unix(text, text.substr(5));
    const std::size_t colon = text.rfind(':');
    if (colon == std::string_view::npos) return not_an_address(text);
    const std::string_view digits = text.substr(colon + 1);
    std::uint16_t port = 0;
    const auto [end, failure] = std::from_chars(digits.data(), digits.data() + digits.size(), port);
    if (failure != std::errc{} || end != digits.data() + digits.size()) return not_an_address(text);

    std::string host(text.substr(0, colon));
    ServerAddress result{.text = std::string(text)};
    if (host.size() > 2 && host.front() == '[' && host.back() == ']') {
        sockaddr_in6 address{};
        address.sin6_family = AF_INET6;
        address.sin6_port = htons(port);
        if (inet_pton(AF_INET6, host.substr(1, host.size() - 2).c_str(), &address.sin6_addr) != 1)
            return not_an_address(text);
        store(result, address, sizeof address);
        return result;
    }
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(port);
    if (inet_pton(AF_INET, host.c_str(), &address.sin_addr) != 1) return not_an_address(text);
    store(result, address, sizeof address);
    return result;
}

}  // namespace holdfast::test
