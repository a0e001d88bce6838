#include "cli/probe.hpp"

#include <algorithm>

#include "cli/values.hpp"

namespace holdfast::cli {
namespace {

constexpr std::string_view forms = "a probe is tcp:ADDRESS, http:ADDRESS/PATH or http:/PATH";

bool is_every_address(std::string_view host) { return host.empty() || host == "0.0.0.0" || host == "::"; }

// The numeric address that a probe connects to. A wildcard address becomes the loopback address. Host names other than
// localhost are refused, because they would have to be resolved.
Result<std::string> numeric(std::string address, std::string_view probe) {
    if (address.starts_with("localhost:")) address.replace(0, 9, "127.0.0.1");
    const auto parsed = parse_listen_address(address);
    if (!parsed || !parsed->name.empty()) {
        return error(in_quotes(probe) + " does not contain a valid address: " + std::string(forms) +
                     ", and an address is 127.0.0.1:9000, [::1]:9000 or unix:/run/app.sock");
    }
    switch (parsed->family) {
        case Family::inet:
            break;
        case Family::unix_path:
            return "unix:" + parsed->path;
        case Family::unix_abstract:
            return "unix:@" + parsed->path;
        case Family::descriptor:
        case Family::systemd:
            return error(in_quotes(probe) + " is not an address to connect to: " + std::string(forms));
    }
    if (parsed->port == 0) return error(in_quotes(probe) + ": a probe cannot connect to port 0");
    const std::string port = ":" + std::to_string(parsed->port);
    if (parsed->host == "::") return "[::1]" + port;
    if (is_every_address(parsed->host)) return "127.0.0.1" + port;
    return parsed->host.find(':') == std::string::npos ? parsed->host + port : "[" + parsed->host + "]" + port;
}

// Whether the text can be the target of an HTTP request: a blank or a line feed would end the request line.
bool is_path(std::string_view path) {
    return path.starts_with('/') && std::ranges::all_of(path, [](char c) { return c > ' ' && c < '\x7f'; });
}

struct Parts {
    std::string address;
    std::string path;
};

Parts split_address_and_path(std::string_view text) {
    if (text.starts_with("//")) text.remove_prefix(2);
    const bool is_unix = text.starts_with("unix:");
    const std::size_t mark = is_unix ? text.find(":/", 6) : text.find('/');
    if (mark == text.npos) return {std::string(text), "/"};
    return {std::string(text.substr(0, mark)), std::string(text.substr(mark + (is_unix ? 1 : 0)))};
}

}  // namespace

Result<core::ReadyProbe> parse_probe(std::string_view text) {
    core::ReadyProbe probe;
    probe.how = text.starts_with("tcp:") ? core::ReadyProbe::How::tcp : core::ReadyProbe::How::http;
    const std::string_view rest = text.substr(text.find(':') + 1);
    if (probe.how == core::ReadyProbe::How::tcp) {
        auto address = numeric(std::string(rest), text);
        if (!address) return address.error();
        probe.address = *std::move(address);
        return probe;
    }
    if (rest.starts_with('/') && !rest.starts_with("//")) {
        probe.where = core::ReadyProbe::Where::private_listener;
        probe.path = rest;
    } else {
        Parts parts = split_address_and_path(rest);
        auto address = numeric(std::move(parts.address), text);
        if (!address) return address.error();
        probe.address = *std::move(address);
        probe.path = std::move(parts.path);
    }
    if (!is_path(probe.path)) return error(in_quotes(text) + ": the path must begin with / and contain no blanks");
    return probe;
}

bool reaches(const ListenAddress& address, const ListenAddress& held) {
    if (held.family != address.family) return false;
    if (held.family != Family::inet) return !held.path.empty() && held.path == address.path;
    const bool same_host = held.host == address.host || is_every_address(held.host) || is_every_address(address.host);
    return held.port == address.port && same_host;
}

}  // namespace holdfast::cli
