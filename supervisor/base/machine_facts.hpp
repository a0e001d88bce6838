#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "base/time.hpp"

namespace holdfast {

inline constexpr std::uint64_t unlimited = ~std::uint64_t{0};

// What is known of the machine, and of one process on it. Empty: could not be found out.
struct MachineFacts {
    std::string kernel;  // "6.1.0-13-amd64"
    bool has_pidfd = false;
    bool has_close_range = false;
    bool has_peer_pidfd = false;  // SO_PEERPIDFD
    std::optional<std::uint64_t> somaxconn;
    std::optional<bool> migrates_requests;         // net.ipv4.tcp_migrate_req
    std::optional<std::uint64_t> first_free_port;  // the lowest that needs no capability
    std::optional<bool> sees_other_processes;      // /proc is not mounted with hidepid

    // Of the process.
    std::uint32_t uid = 0;
    std::optional<std::uint64_t> nofile_soft, nofile_hard, nproc_soft;
    std::optional<std::uint64_t> capabilities;  // effective, a bit each as capabilities(7) numbers them
    bool is_in_cgroup_v2 = false;
    std::string cgroup;  // "/system.slice/web.service"
    bool may_manage_cgroup = false;
    bool counts_oom_kills = false;

    // Who manages the process in turn.
    std::string unit;                                     // "web.service"
    std::string unit_type, unit_kill_mode;                // as the unit's files say; empty: they do not
    std::optional<Duration> stop_timeout, start_timeout;  // of the unit; Duration::max(): none
    bool is_in_kubernetes = false;
};

}  // namespace holdfast
