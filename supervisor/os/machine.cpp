#include "os/machine.hpp"

#include <fcntl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/utsname.h>
#include <unistd.h>

#include <cerrno>
#include <charconv>
#include <cstdlib>
#include <sstream>

#include "os/read_file.hpp"
#include "os/unique_fd.hpp"
#include "os/unit_file.hpp"

namespace holdfast::os {
namespace {

constexpr std::size_t small_file = 64 * 1024;
constexpr int peer_pidfd_option = 77;  // SO_PEERPIDFD; newer than the kernel headers

std::string content_of(const std::string& path) {
    const auto text = read_file(path, small_file);
    return text ? *text : std::string{};
}

std::optional<std::uint64_t> number_in(const std::string& text, int base = 10) {
    std::uint64_t number = 0;
    const auto [end, failure] = std::from_chars(text.data(), text.data() + text.size(), number, base);
    if (failure != std::errc{} || end == text.data()) return std::nullopt;
    return number;
}

// The rest of the line that begins with `key`, without leading blanks.
std::string line_of(const std::string& text, const std::string& key) {
    std::istringstream lines(text);
    for (std::string line; std::getline(lines, line);) {
        if (!line.starts_with(key)) continue;
        const std::size_t from = line.find_first_not_of(" \t", key.size());
        return from == line.npos ? std::string{} : line.substr(from);
    }
    return {};
}

// /proc/PID/limits: "Max open files            1024                 1048576              files".
void read_limit(const std::string& limits, const std::string& name, std::optional<std::uint64_t>& soft,
                std::optional<std::uint64_t>& hard) {
    std::istringstream words(line_of(limits, name));
    std::string first, second;
    words >> first >> second;
    soft = first == "unlimited" ? std::optional(unlimited) : number_in(first);
    hard = second == "unlimited" ? std::optional(unlimited) : number_in(second);
}

bool has_call(long number, long a, long b, long c) { return ::syscall(number, a, b, c) >= 0 || errno != ENOSYS; }

bool has_peer_pidfd() {
    const UniqueFd socket(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
    int value = 0;
    socklen_t size = sizeof value;
    return ::getsockopt(socket.get(), SOL_SOCKET, peer_pidfd_option, &value, &size) == 0 || errno != ENOPROTOOPT;
}

void inspect_kernel(MachineFacts& facts) {
    utsname names{};
    if (::uname(&names) == 0) facts.kernel = names.release;
    // The arguments are invalid on purpose: this only tests whether the system call exists.
    facts.has_pidfd = has_call(SYS_pidfd_open, -1, 0, 0);
    facts.has_close_range = has_call(SYS_close_range, 1, 0, 0);
    facts.has_peer_pidfd = has_peer_pidfd();
    facts.somaxconn = number_in(content_of("/proc/sys/net/core/somaxconn"));
    facts.first_free_port = number_in(content_of("/proc/sys/net/ipv4/ip_unprivileged_port_start"));
    if (const auto value = number_in(content_of("/proc/sys/net/ipv4/tcp_migrate_req"))) {
        facts.migrates_requests = *value != 0;
    }
    facts.sees_other_processes = !content_of("/proc/1/comm").empty();
}

void inspect_cgroup(const std::string& process, MachineFacts& facts) {
    facts.cgroup = line_of(content_of(process + "/cgroup"), "0::");
    const std::string folder = "/sys/fs/cgroup" + facts.cgroup;
    facts.is_in_cgroup_v2 = !facts.cgroup.empty() && ::access((folder + "/cgroup.procs").c_str(), F_OK) == 0;
    facts.may_manage_cgroup = facts.is_in_cgroup_v2 && ::access((folder + "/cgroup.procs").c_str(), W_OK) == 0;
    facts.counts_oom_kills = facts.is_in_cgroup_v2 && ::access((folder + "/memory.events").c_str(), R_OK) == 0;
}

}  // namespace

MachineFacts inspect_machine(pid_t pid) {
    MachineFacts facts;
    inspect_kernel(facts);
    const std::string process = "/proc/" + (pid == 0 ? std::string("self") : std::to_string(pid));
    const std::string status = content_of(process + "/status");
    const std::string limits = content_of(process + "/limits");
    std::optional<std::uint64_t> ignored;
    read_limit(limits, "Max open files", facts.nofile_soft, facts.nofile_hard);
    read_limit(limits, "Max processes", facts.nproc_soft, ignored);
    facts.capabilities = number_in(line_of(status, "CapEff:"), 16);
    std::istringstream uids(line_of(status, "Uid:"));
    std::uint32_t real_uid = 0;
    uids >> real_uid >> facts.uid;
    inspect_cgroup(process, facts);
    facts.is_in_kubernetes = std::getenv("KUBERNETES_SERVICE_HOST") != nullptr;
    read_unit(facts);
    return facts;
}

}  // namespace holdfast::os
