#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.hpp"

namespace holdfast {

enum class Family { inet, unix_path, unix_abstract, descriptor, systemd };
enum class SocketType { stream, datagram, seqpacket };  // `--listen` supports only stream; the others are reserved
enum class Transport { tcp, udp, local };

// A parsed `--listen` argument. Users and groups are still names: nothing is resolved.
struct ListenAddress {
    std::string name;  // NAME=…; empty: the listener is named by its address
    std::string text;  // the address as written, without name and query
    Family family = Family::inet;
    SocketType type = SocketType::stream;
    Transport transport = Transport::tcp;
    std::string host;        // inet: empty means every address, IPv6 and IPv4 in one socket
    std::uint16_t port = 0;  // inet: 0 lets the kernel choose
    std::string path;        // unix: the path, or the abstract name without '@'
    int descriptor = -1;     // fd:N
    // Query keys:
    std::optional<int> backlog;  // default: the kernel's somaxconn
    std::optional<bool> v6only;
    bool nonblock = false;
    std::optional<std::uint32_t> mode;  // unix paths
    std::string user, group;            // unix paths
};

// Parses `[NAME=]ADDRESS[?key=value&…]`. The error names the fault and the accepted forms, and suggests the correct
// spelling of a misspelt key.
Result<ListenAddress> parse_listen_address(std::string_view text);

// The name of the listener in LISTEN_FDNAMES: its configured name, or its address with ':' replaced by '_'.
std::string listener_name(const ListenAddress& address);

// Returns the first conflict between addresses, as a sentence: two listeners with the same name, or the same address
// twice; nullopt if there is none.
std::optional<std::string> find_conflict(const std::vector<ListenAddress>& addresses);

}  // namespace holdfast
