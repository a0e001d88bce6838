#include "core/describe/doctor.hpp"

#include <algorithm>

namespace holdfast::core {
namespace {

using Findings = std::vector<Finding>;

constexpr std::uint64_t small_queue = 1024;
constexpr std::uint64_t own_descriptors = 64;         // log, API clients, timers, listeners of health probes
constexpr std::uint64_t descriptors_of_a_worker = 8;  // control pipe, notify socket, standard error, pidfds, probe
constexpr std::uint64_t own_processes = 16;
constexpr Duration systemd_default = 90s;

// capabilities(7)
constexpr unsigned cap_kill = 5;
constexpr unsigned cap_setuid = 7;
constexpr unsigned cap_net_bind_service = 10;
constexpr unsigned cap_sys_resource = 24;

bool has_capability(const MachineFacts& facts, unsigned number) {
    return !facts.capabilities || ((*facts.capabilities >> number) & 1U) != 0;
}

std::string whole_seconds(Duration duration) {
    return std::to_string(std::chrono::ceil<std::chrono::seconds>(duration).count()) + " s";
}

std::string bare_seconds(Duration duration) {
    return std::to_string(std::chrono::ceil<std::chrono::seconds>(duration).count());
}

void check_kernel(const MachineFacts& facts, Findings& findings) {
    if (!facts.has_pidfd || !facts.has_close_range) {
        findings.push_back(
            {Severity::wrong, "the kernel " + facts.kernel + " lacks pidfds or close_range", "use Linux 5.9 or later"});
        return;
    }
    findings.push_back({Severity::ok, "the kernel " + facts.kernel + " has pidfds and close_range", {}});
    if (facts.has_peer_pidfd) {
        findings.push_back({Severity::ok, "SO_PEERPIDFD: the peer of a socket is identified reliably", {}});
    } else {
        findings.push_back({Severity::note,
                            "no SO_PEERPIDFD: the peer of a socket is only identified by its uid and pid",
                            "no action needed; Linux 6.5 and later have it"});
    }
}

void check_backlog(const MachineFacts& facts, const CheckedService& checked, Findings& findings) {
    if (!facts.somaxconn) return;
    const std::string now = "net.core.somaxconn is " + std::to_string(*facts.somaxconn);
    std::uint64_t wanted = small_queue;
    for (const ListenAddress& address : checked.configuration.listen) {
        wanted = std::max(wanted, static_cast<std::uint64_t>(std::max(address.backlog.value_or(0), 0)));
    }
    if (*facts.somaxconn >= wanted) {
        findings.push_back({Severity::ok, now, {}});
        return;
    }
    findings.push_back({Severity::warning, now + ": no more connections can be queued while workers are replaced",
                        "sysctl -w net.core.somaxconn=" + std::to_string(std::max<std::uint64_t>(wanted, 4096))});
}

void check_migration(const MachineFacts& facts, Findings& findings) {
    if (!facts.migrates_requests) return;
    if (*facts.migrates_requests) {
        findings.push_back({Severity::ok, "net.ipv4.tcp_migrate_req is 1", {}});
    } else {
        findings.push_back(
            {Severity::note,
             "net.ipv4.tcp_migrate_req is 0: irrelevant for the sockets of holdfast; a worker that binds its own "
             "SO_REUSEPORT sockets loses their queue when it exits",
             "only for such workers: sysctl -w net.ipv4.tcp_migrate_req=1"});
    }
}

void check_descriptors(const MachineFacts& facts, const CheckedService& checked, Findings& findings) {
    if (!facts.nofile_soft) return;
    const std::uint64_t needed = descriptors_needed(checked.configuration, checked.workers);
    // The supervisor raises its soft limit to the hard one.
    const std::uint64_t allowed = facts.nofile_hard.value_or(*facts.nofile_soft);
    const std::string now = std::to_string(allowed) + " open files are allowed";
    if (allowed < needed) {
        findings.push_back(
            {Severity::wrong,
             now + ", and a restart of " + std::to_string(checked.workers) + " workers needs " + std::to_string(needed),
             "ulimit -Hn " + std::to_string(needed) + " before holdfast, or LimitNOFILE=" + std::to_string(needed) +
                 " in its unit"});
        return;
    }
    findings.push_back({Severity::ok, now + ", a restart needs " + std::to_string(needed), {}});
    const auto& limits = checked.configuration.launch.limits;
    if (*facts.nofile_soft <= 1024 && std::ranges::find(limits, "nofile", &ResourceLimit::name) == limits.end()) {
        findings.push_back({Severity::note,
                            "each worker inherits the soft limit of " + std::to_string(*facts.nofile_soft) +
                                ", which also limits its connections",
                            "--limit nofile=65536 gives the workers more"});
    }
}

void check_processes(const MachineFacts& facts, const CheckedService& checked, Findings& findings) {
    if (!facts.nproc_soft || facts.uid == 0) return;
    const std::uint64_t needed = own_processes + 2 * static_cast<std::uint64_t>(checked.workers);
    const std::string now = *facts.nproc_soft == unlimited
                                ? std::string("any number of processes is allowed")
                                : std::to_string(*facts.nproc_soft) + " processes and threads are allowed to this user";
    if (*facts.nproc_soft >= needed) {
        findings.push_back({Severity::ok, now, {}});
    } else {
        findings.push_back({Severity::wrong, now + ", and a restart needs " + std::to_string(needed) + " at least",
                            "ulimit -u, or LimitNPROC= in the unit"});
    }
}

void check_cgroup(const MachineFacts& facts, Findings& findings) {
    if (!facts.is_in_cgroup_v2) {
        findings.push_back({Severity::note,
                            "there is no control group (v2): a worker killed by the kernel for lack of memory is only "
                            "reported as killed by SIGKILL",
                            "boot with systemd.unified_cgroup_hierarchy=1, or mount cgroup2"});
        return;
    }
    if (!facts.counts_oom_kills) {
        findings.push_back(
            {Severity::note,
             "the control group " + facts.cgroup + " counts no OOM kills: they are only reported as killed by SIGKILL",
             "MemoryAccounting=yes in the unit"});
    } else {
        findings.push_back({Severity::ok, "OOM kills are recognised, by the control group " + facts.cgroup, {}});
    }
    if (facts.may_manage_cgroup) {
        findings.push_back({Severity::ok, "the control group is delegated", {}});
    } else {
        findings.push_back(
            {Severity::note, "the control group is not delegated; this is not needed yet", "Delegate=yes in the unit"});
    }
}

bool needs_privileged_port(const MachineFacts& facts, const ListenAddress& address) {
    return address.family == Family::inet && address.port != 0 && address.port < facts.first_free_port.value_or(1024);
}

void check_capabilities(const MachineFacts& facts, const CheckedService& checked, Findings& findings) {
    const std::size_t before = findings.size();
    std::vector<ListenAddress> addresses = checked.configuration.listen;
    addresses.insert(addresses.end(), checked.configuration.admin.begin(), checked.configuration.admin.end());
    for (const ListenAddress& address : addresses) {
        if (!needs_privileged_port(facts, address) || has_capability(facts, cap_net_bind_service)) continue;
        findings.push_back(
            {Severity::wrong, "port " + std::to_string(address.port) + " needs CAP_NET_BIND_SERVICE",
             "AmbientCapabilities=CAP_NET_BIND_SERVICE in the unit, or --listen systemd with a socket unit"});
    }
    const LaunchOptions& launch = checked.configuration.launch;
    const bool changes_user = !launch.user.empty() || !launch.group.empty();
    if (changes_user && !(has_capability(facts, cap_setuid) && has_capability(facts, cap_kill))) {
        findings.push_back({Severity::wrong,
                            "--user and --group need CAP_SETUID, CAP_SETGID and, to signal the workers, CAP_KILL",
                            "run holdfast as root, or as that user without these options"});
    }
    for (const ResourceLimit& limit : launch.limits) {
        if (limit.name != "nofile" || has_capability(facts, cap_sys_resource)) continue;
        if (!facts.nofile_hard || limit.hard <= *facts.nofile_hard) continue;
        findings.push_back({Severity::wrong,
                            "--limit nofile is above the hard limit of " + std::to_string(*facts.nofile_hard) +
                                ", which needs CAP_SYS_RESOURCE",
                            "LimitNOFILE=" + std::to_string(limit.hard) + " in the unit"});
    }
    if (findings.size() == before) findings.push_back({Severity::ok, "no capability is missing", {}});
}

void check_unit(const MachineFacts& facts, const Policy& policy, Findings& findings) {
    if (facts.unit.empty()) return;
    const Duration stop = longest_stop(policy);
    const Duration allowed = facts.stop_timeout.value_or(systemd_default);
    if (allowed < stop) {
        const bool asks_for_more = facts.unit_type.starts_with("notify");
        findings.push_back({asks_for_more ? Severity::warning : Severity::wrong,
                            facts.unit + " is killed " + whole_seconds(allowed) +
                                " after a stop began, and a stop may take " + whole_seconds(stop) +
                                (asks_for_more ? "; holdfast extends this while workers drain" : ""),
                            "TimeoutStopSec=" + bare_seconds(stop + 10s) + " in the unit"});
    } else {
        findings.push_back({Severity::ok, facts.unit + " waits long enough for a stop", {}});
    }
    if (facts.start_timeout.value_or(systemd_default) < policy.ready_timeout && facts.unit_type.starts_with("notify")) {
        findings.push_back(
            {Severity::warning,
             facts.unit + " times out before --ready-timeout, " + whole_seconds(policy.ready_timeout) + ", is over",
             "TimeoutStartSec=" + bare_seconds(policy.ready_timeout + 30s) + " in the unit"});
    }
    if (facts.unit_kill_mode.empty() || facts.unit_kill_mode == "control-group") {
        findings.push_back(
            {Severity::warning,
             facts.unit + " also sends its SIGTERM to every worker, before holdfast can tell them their stages",
             "KillMode=mixed in the unit"});
    }
}

void check_kubernetes(const MachineFacts& facts, const Policy& policy, Findings& findings) {
    if (!facts.is_in_kubernetes) return;
    const Duration stop = longest_stop(policy);
    findings.push_back(
        {Severity::note,
         "Kubernetes kills a pod terminationGracePeriodSeconds after a stop began, 30 s by default; the value cannot "
         "be read from here",
         "terminationGracePeriodSeconds: " + bare_seconds(stop + 10s) + " or more; a stop may take " +
             whole_seconds(stop)});
}

}  // namespace

Duration longest_stop(const Policy& policy) {
    // Each of the three stages has a deadline that can be extended.
    return policy.lame_duck + policy.grace_period + policy.cancel_period + 3 * policy.max_extension;
}

std::uint64_t descriptors_needed(const Configuration& configuration, int workers) {
    return own_descriptors + configuration.listen.size() +
           2 * static_cast<std::uint64_t>(workers) * descriptors_of_a_worker;
}

std::vector<Finding> check_machine(const MachineFacts& facts, const CheckedService& checked) {
    Findings findings;
    check_kernel(facts, findings);
    check_backlog(facts, checked, findings);
    check_migration(facts, findings);
    check_descriptors(facts, checked, findings);
    check_processes(facts, checked, findings);
    check_cgroup(facts, findings);
    check_capabilities(facts, checked, findings);
    check_unit(facts, checked.configuration.policy, findings);
    check_kubernetes(facts, checked.configuration.policy, findings);
    if (facts.sees_other_processes == false) {
        findings.push_back(
            {Severity::note,
             "/proc hides other users' processes: the process that holds a socket cannot always be named",
             "mount /proc without hidepid"});
    }
    return findings;
}

}  // namespace holdfast::core
