#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "base/time.hpp"

namespace holdfast {

inline constexpr std::uint64_t unlimited = ~std::uint64_t{0};

// Facts about the machine and one process on it. An empty optional or string: unknown, unless stated otherwise.
struct MachineFacts {
    std::string kernel;  // "6.1.0-13-amd64"
    bool has_pidfd = false;
    bool has_close_range = false;
    bool has_peer_pidfd = false;  // SO_PEERPIDFD
    std::optional<std::uint64_t> somaxconn;
    std::optional<bool> migrates_requests;         // net.ipv4.tcp_migrate_req
    std::optional<std::uint64_t> first_free_port;  // lowest port that needs no capability
    std::optional<bool> sees_other_processes;      // /proc is not mounted with hidepid

    // About the process:
    std::uint32_t uid = 0;
    std::optional<std::uint64_t> nofile_soft, nofile_hard, nproc_soft;
    std::optional<std::uint64_t> capabilities;  // effective set, bit numbers of capabilities(7)
    bool is_in_cgroup_v2 = false;
    std::string cgroup;  // "/system.slice/web.service"
    bool may_manage_cgroup = false;
    bool counts_oom_kills = false;

    // About the service manager of the process:
    std::string unit;                                     // "web.service"
    std::string unit_type, unit_kill_mode;                // from the unit files; empty: not set there
    std::optional<Duration> stop_timeout, start_timeout;  // timeouts of the unit; Duration::max(): none
    bool is_in_kubernetes = false;
};

}  // namespace holdfast
