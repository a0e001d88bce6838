#include "base/address.hpp"

#include <algorithm>
#include <array>

#include "base/address_query.hpp"
#include "base/internet_address.hpp"
#include "base/parse.hpp"
#include "base/text.hpp"

namespace holdfast {
namespace {

constexpr std::string_view forms =
    "an address is 8080, :8080, 127.0.0.1:8080, [::1]:8080, unix:/run/app.sock, unix:@name, fd:3 or systemd";
constexpr std::array<std::string_view, 3> kinds{"unix", "fd", "systemd"};
constexpr std::array<std::string_view, 3> later_kinds{"udp", "unixgram", "unixpacket"};
constexpr std::size_t longest_unix_name = 107;  // unix(7): 108 bytes with the final NUL or the leading one (abstract)
constexpr std::size_t longest_name = 255;       // sd_listen_fds_with_names(3)

bool is_name_letter(char c) {
    return is_digit(c) || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_' || c == '-' || c == '.';
}

Result<std::uint16_t> parse_port(std::string_view text) {
    const auto port = parse_count(text, 0, 65535);
    if (!port) return error("the port " + port.error().text);
    return static_cast<std::uint16_t>(*port);
}

Result<void> set_port(ListenAddress& address, std::string_view text) {
    const auto port = parse_port(text);
    if (!port) return port.error();
    address.port = *port;
    return {};
}

Result<void> set_unix(ListenAddress& address, std::string_view path) {
    address.transport = Transport::local;
    address.family = path.starts_with('@') ? Family::unix_abstract : Family::unix_path;
    if (address.family == Family::unix_abstract) path.remove_prefix(1);
    if (path.empty()) return error("a name is missing; write unix:/run/app.sock or unix:@name");
    if (path.find('\0') != path.npos) return error("it contains a NUL byte");
    if (path.size() > longest_unix_name) {
        return error("it has " + std::to_string(path.size()) + " bytes; a unix address has at most " +
                     std::to_string(longest_unix_name));
    }
    if (address.family == Family::unix_path && !path.starts_with('/')) {
        return error("a path begins with /; write unix:/run/" + std::string(path));
    }
    if (address.family == Family::unix_path && path.ends_with('/')) return error("it names a directory");
    address.path = path;
    return {};
}

Result<void> set_descriptor(ListenAddress& address, std::string_view number) {
    address.family = Family::descriptor;
    const auto descriptor = parse_count(number, 3, 1'000'000);
    if (!descriptor)
        return error("the descriptor " + descriptor.error().text + "; 0, 1 and 2 are the standard streams");
    address.descriptor = static_cast<int>(*descriptor);
    return {};
}

Result<void> set_bracketed(ListenAddress& address, std::string_view body) {
    const std::size_t end = body.find(']');
    if (end == body.npos) return error("the closing ] is missing; write [::1]:8080");
    const std::string_view host = body.substr(1, end - 1);
    if (!is_ipv6(host)) return error(in_quotes(host) + " is not an IPv6 address");
    const std::string_view rest = body.substr(end + 1);
    if (!rest.starts_with(':')) return error("a port is missing; write [" + std::string(host) + "]:8080");
    address.host = host;
    return set_port(address, rest.substr(1));
}

// The error for a word before the first colon that is neither a kind of address nor an IPv4 address.
Error unknown_host(std::string_view word, std::string_view port) {
    if (word == "localhost") {
        return error("host names are not resolved; write 127.0.0.1:" + std::string(port) +
                     " or [::1]:" + std::string(port));
    }
    if (word == "*") return error("to listen on every address, write :" + std::string(port));
    if (word == "tcp") return error("TCP needs no prefix; write " + std::string(port));
    if (const auto kind = nearest(word, kinds)) {
        return error("there is no kind of address " + in_quotes(word) + ", did you mean " + in_quotes(*kind) + "?");
    }
    return error(in_quotes(word) + " is not an IPv4 address, and host names are not resolved; " + std::string(forms));
}

Error without_colon(std::string_view body) {
    if (is_ipv4(body)) return error("a port is missing; write " + std::string(body) + ":8080");
    if (body.starts_with('/')) return error("a path needs a prefix; write unix:" + std::string(body));
    if (body.starts_with('@')) return error("an abstract name needs a prefix; write unix:" + std::string(body));
    if (const auto kind = nearest(body, kinds))
        return error("did you mean " + in_quotes(*kind) + "? " + std::string(forms));
    return error(std::string(forms));
}

Result<void> set_body(ListenAddress& address, std::string_view body) {
    if (body.empty()) return error(std::string(forms));
    if (body == "systemd") {
        address.family = Family::systemd;
        return {};
    }
    if (std::all_of(body.begin(), body.end(), is_digit)) return set_port(address, body);
    if (body.starts_with('[')) return set_bracketed(address, body);
    const std::size_t colon = body.find(':');
    if (colon == body.npos) return without_colon(body);
    const std::string_view word = body.substr(0, colon);
    const std::string_view rest = body.substr(colon + 1);
    if (word == "unix") return set_unix(address, rest);
    if (word == "fd") return set_descriptor(address, rest);
    if (is_one_of(word, later_kinds)) {
        return error("the kind " + in_quotes(word) + " is not part of this version; " + std::string(forms));
    }
    if (rest.find(':') != rest.npos) {
        // "::1:8080" is ambiguous, so it is rejected.
        return error("an IPv6 address needs brackets; write [" +
                     (is_ipv6(body.substr(0, body.rfind(':'))) ? std::string(body.substr(0, body.rfind(':')))
                                                               : std::string("::1")) +
                     "]:8080");
    }
    if (!word.empty() && !is_ipv4(word)) return unknown_host(word, rest);
    address.host = word;
    return set_port(address, rest);
}

// Removes the prefix "NAME=" from the text. An '=' after a character that only an address contains belongs to a path or
// to the query.
Result<void> take_name(ListenAddress& address, std::string_view& text) {
    const std::size_t mark = text.find_first_of("=:/?@[");
    if (mark == text.npos || text[mark] != '=') return {};
    const std::string_view name = text.substr(0, mark);
    if (name.empty() || name.size() > longest_name || !std::all_of(name.begin(), name.end(), is_name_letter)) {
        return error(in_quotes(name) + " is not a name: a name is 1 to 255 letters, digits, '_', '-' and '.'");
    }
    address.name = name;
    text.remove_prefix(mark + 1);
    return {};
}

Result<void> fill(ListenAddress& address, std::string_view text) {
    if (auto done = take_name(address, text); !done) return done;
    const std::size_t question = text.find('?');
    address.text = text.substr(0, question);
    if (auto done = set_body(address, address.text); !done) return done;
    if (address.family == Family::systemd && !address.name.empty()) {
        return error("the sockets that systemd passes keep their names (FileDescriptorName=)");
    }
    if (question == text.npos) return {};
    return apply_query(address, text.substr(question + 1));
}

bool is_same_place(const ListenAddress& a, const ListenAddress& b) {
    if (a.family != b.family) return false;
    switch (a.family) {
        case Family::inet:
            return a.port == b.port && a.port != 0 && a.host == b.host;
        case Family::unix_path:
        case Family::unix_abstract:
            return a.path == b.path;
        case Family::descriptor:
            return a.descriptor == b.descriptor;
        case Family::systemd:
            return true;
    }
    return false;
}

}  // namespace

Result<ListenAddress> parse_listen_address(std::string_view text) {
    ListenAddress address;
    const auto done = fill(address, text);
    if (!done) return error("cannot listen on " + in_quotes(text) + ": " + done.error().text);
    return address;
}

std::string listener_name(const ListenAddress& address) {
    if (!address.name.empty()) return address.name;
    std::string name = address.text;
    std::replace(name.begin(), name.end(), ':', '_');
    return name;
}

std::optional<std::string> find_conflict(const std::vector<ListenAddress>& addresses) {
    for (std::size_t i = 0; i < addresses.size(); ++i) {
        for (std::size_t j = 0; j < i; ++j) {
            if (is_same_place(addresses[j], addresses[i])) {
                return "cannot listen on " + in_quotes(addresses[i].text) + " twice: one listener serves all workers";
            }
            if (listener_name(addresses[j]) == listener_name(addresses[i])) {
                return "cannot name two listeners " + in_quotes(listener_name(addresses[i])) +
                       ": workers distinguish listeners by name; write NAME=ADDRESS";
            }
        }
    }
    return std::nullopt;
}

}  // namespace holdfast
