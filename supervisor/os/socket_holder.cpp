#include "os/socket_holder.hpp"

#include <arpa/inet.h>
#include <dirent.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <cstdint>
#include <cstdio>
#include <memory>
#include <set>
#include <sstream>
#include <string_view>

#include "os/process_table.hpp"
#include "os/read_file.hpp"
#include "os/socket_address.hpp"

namespace holdfast::os {
namespace {

using Inodes = std::set<std::uint64_t>;
using Directory = std::unique_ptr<DIR, int (*)(DIR*)>;

// Larger tables are not read.
constexpr std::size_t table_limit = 64U << 20;

// Formats an IPv4 or IPv6 address like /proc/net/tcp: as 32-bit words in the byte order of this machine.
std::string as_proc_prints(const std::string& host) {
    std::array<std::uint32_t, 4> words{};
    std::size_t count = 1;
    if (::inet_pton(AF_INET, host.c_str(), words.data()) != 1) {
        count = 4;
        if (::inet_pton(AF_INET6, host.c_str(), words.data()) != 1) return "";
    }
    std::string text;
    for (std::size_t i = 0; i < count; ++i) {
        std::array<char, 9> word{};
        std::snprintf(word.data(), word.size(), "%08X", words[i]);
        text += word.data();
    }
    return text;
}

bool is_every_address(std::string_view printed) { return printed.find_first_not_of('0') == printed.npos; }

// Two listeners cannot share a port if one of them is bound to the wildcard address, or both to the same address.
bool collide(std::string_view ours, std::string_view theirs) {
    return is_every_address(ours) || is_every_address(theirs) || theirs.ends_with(ours);
}

void add_tcp_listeners(const char* table, std::string_view our_host, std::uint16_t port, Inodes& inodes) {
    constexpr std::string_view listening = "0A";
    const auto text = read_file(table, table_limit);
    if (!text) return;
    std::istringstream lines(*text);
    std::string line;
    std::getline(lines, line);
    while (std::getline(lines, line)) {
        std::istringstream fields(line);
        std::string number, local, remote, state, queues, timer, retransmits, uid, timeout;
        std::uint64_t inode = 0;
        fields >> number >> local >> remote >> state >> queues >> timer >> retransmits >> uid >> timeout >> inode;
        const std::size_t colon = local.find(':');
        if (!fields || state != listening || colon == std::string::npos) continue;
        unsigned their_port = 0;
        std::from_chars(local.data() + colon + 1, local.data() + local.size(), their_port, 16);
        if (their_port == port && collide(our_host, std::string_view(local).substr(0, colon))) inodes.insert(inode);
    }
}

Inodes unix_listeners(const std::string& name) {
    constexpr unsigned long accepting = 0x10000;  // __SO_ACCEPTCON
    Inodes inodes;
    const auto text = read_file("/proc/net/unix", table_limit);
    if (!text) return inodes;
    std::istringstream lines(*text);
    std::string line;
    std::getline(lines, line);
    while (std::getline(lines, line)) {
        std::istringstream fields(line);
        std::string number, references, protocol, type, state, path;
        unsigned long flags = 0;
        std::uint64_t inode = 0;
        fields >> number >> references >> protocol >> std::hex >> flags >> type >> state >> std::dec >> inode >>
            std::ws;
        std::getline(fields, path);
        if ((flags & accepting) != 0 && path == name) inodes.insert(inode);
    }
    return inodes;
}

Inodes listeners_at(const ListenAddress& address) {
    if (address.family == Family::unix_path) return unix_listeners(address.path);
    if (address.family == Family::unix_abstract) return unix_listeners("@" + address.path);
    Inodes inodes;
    if (address.family != Family::inet) return inodes;
    const std::string host = as_proc_prints(address.host);
    add_tcp_listeners("/proc/net/tcp", host, address.port, inodes);
    add_tcp_listeners("/proc/net/tcp6", host, address.port, inodes);
    return inodes;
}

// Whether a process has one of the sockets open. False for processes of other users, whose descriptors cannot be read.
bool holds(const std::string& pid, const Inodes& inodes) {
    const std::string folder = "/proc/" + pid + "/fd";
    const Directory descriptors(::opendir(folder.c_str()), &::closedir);
    if (!descriptors) return false;
    while (const dirent* entry = ::readdir(descriptors.get())) {
        std::array<char, 64> target{};
        const ssize_t size = ::readlink((folder + "/" + entry->d_name).c_str(), target.data(), target.size());
        if (size <= 0) continue;
        std::string_view link(target.data(), static_cast<std::size_t>(size));
        constexpr std::string_view prefix = "socket:[";
        if (!link.starts_with(prefix)) continue;
        link.remove_prefix(prefix.size());
        std::uint64_t inode = 0;
        std::from_chars(link.data(), link.data() + link.size(), inode);
        if (inodes.contains(inode)) return true;
    }
    return false;
}

// A process chooses its own name; replace control characters, which could affect the terminal.
std::string printable(std::string name) {
    std::replace_if(
        name.begin(), name.end(), [](char c) { return c < ' ' || c > '~'; }, '?');
    return name;
}

}  // namespace

std::vector<SocketHolder> find_holders(const ListenAddress& address) {
    std::vector<SocketHolder> holders;
    const Inodes inodes = listeners_at(address);
    if (inodes.empty()) return holders;
    const Directory processes(::opendir("/proc"), &::closedir);
    if (!processes) return holders;
    while (const dirent* entry = ::readdir(processes.get())) {
        const std::string_view name = entry->d_name;
        int pid = 0;
        const auto [end, problem] = std::from_chars(name.data(), name.data() + name.size(), pid);
        if (problem != std::errc{} || end != name.data() + name.size() || !holds(entry->d_name, inodes)) continue;
        const auto status = process_status(pid);
        holders.push_back({pid, status && *status ? printable((*status)->name) : "a process"});
    }
    return holders;
}

std::string describe(const std::vector<SocketHolder>& holders) {
    constexpr std::size_t most = 4;
    std::string text;
    for (std::size_t i = 0; i < holders.size() && i < most; ++i) {
        if (i > 0) text += ", ";
        text += holders[i].command + " (pid " + std::to_string(holders[i].pid) + ")";
    }
    if (holders.size() > most) text += " and " + std::to_string(holders.size() - most) + " more";
    return text;
}

}  // namespace holdfast::os
