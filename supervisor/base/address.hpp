#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.hpp"

namespace holdfast {

enum class Family { inet, unix_path, unix_abstract, descriptor, systemd };
enum class SocketType { stream, datagram, seqpacket };  // `--listen` takes stream; the others have their room here
enum class Transport { tcp, udp, local };

// One `--listen`, as the user wrote it, taken apart but not resolved: users and groups are still names.
struct ListenAddress {
    std::string name;  // NAME=…; empty: named by its address
    std::string text;  // the address as written, without name and query
    Family family = Family::inet;
    SocketType type = SocketType::stream;
    Transport transport = Transport::tcp;
    std::string host;        // inet: empty means every address, IPv6 and IPv4 in one socket
    std::uint16_t port = 0;  // inet: 0 lets the kernel choose
    std::string path;        // unix: the path, or the abstract name without '@'
    int descriptor = -1;     // fd:N
    // Query keys.
    std::optional<int> backlog;  // default: the kernel's somaxconn
    std::optional<bool> v6only;
    bool nonblock = false;
    std::optional<std::uint32_t> mode;  // unix paths
    std::string user, group;            // unix paths
};

// Takes `[NAME=]ADDRESS[?key=value&…]` apart. The error names what is wrong, what is taken, and the nearest right
// spelling of a misspelt key.
Result<ListenAddress> parse_listen_address(std::string_view text);

// The listener's name in LISTEN_FDNAMES: its own, or its address with ':' written as '_'.
std::string listener_name(const ListenAddress& address);

// What is wrong with several addresses together, as a sentence: two listeners of one name, the same address twice.
// Nothing if they can stand beside each other.
std::optional<std::string> find_conflict(const std::vector<ListenAddress>& addresses);

}  // namespace holdfast
