#include "runtime/orphans.hpp"

#include <cerrno>
#include <csignal>
#include <utility>

#include "os/process.hpp"
#include "os/process_table.hpp"
#include "os/wait_for.hpp"
#include "runtime/clock.hpp"
#include "wire/wire.hpp"

namespace holdfast::runtime {

namespace {

enum class WaitOutcome { all_ended, timed_out, interrupted };

// Removes processes from the list as they end.
WaitOutcome wait_for(std::vector<os::Process>& processes, Instant deadline, const os::Signals& signals) {
    while (true) {
        std::erase_if(processes, [](const os::Process& process) { return os::has_ended(process); });
        if (processes.empty()) return WaitOutcome::all_ended;
        if (now() >= deadline) return WaitOutcome::timed_out;
        std::vector<int> fds{signals.fd()};
        for (const auto& process : processes) fds.push_back(process.pidfd());
        os::wait_until_readable(fds, deadline);
        while (const auto received = signals.read()) {
            if (received->signal == SIGTERM || received->signal == SIGINT) return WaitOutcome::interrupted;
        }
    }
}

struct OrphanProcesses {
    // others: other members of their process groups, for example behind a wrapper
    std::vector<os::Process> leaders, others;
};

Result<OrphanProcesses> find_processes(const std::vector<os::Orphan>& orphans) {
    OrphanProcesses found;
    for (const auto& orphan : orphans) {
        const auto members = os::members_of_group(orphan.pid);
        if (!members) return members.error();
        for (const auto& member : *members) {
            auto process = os::open_process(member.pid, member.start_time);
            if (!process && process.error().code != ESRCH) return process.error();
            if (!process) continue;
            (member.pid == orphan.pid ? found.leaders : found.others).push_back(std::move(*process));
        }
    }
    return found;
}

void signal_all(const std::vector<os::Process>& processes, int signal) {
    for (const auto& process : processes) static_cast<void>(os::send_signal(process, signal));
}

void kill_all(const std::vector<os::Process>& processes) {
    for (const auto& process : processes) static_cast<void>(os::kill_now(process));
}

// The same escalation as for a worker: the stop signal to the main process, then to its group once the main process has
// ended, and SIGKILL after the grace period.
WaitOutcome end_processes(OrphanProcesses& orphan_processes, const core::Policy& policy, const os::Signals& signals) {
    const Instant deadline = now() + policy.grace_period;
    signal_all(orphan_processes.leaders, policy.stop_signal);
    auto waited = wait_for(orphan_processes.leaders, deadline, signals);
    if (waited == WaitOutcome::all_ended) {
        signal_all(orphan_processes.others, policy.stop_signal);
        waited = wait_for(orphan_processes.others, deadline, signals);
    }
    if (waited != WaitOutcome::timed_out) return waited;
    kill_all(orphan_processes.leaders);
    kill_all(orphan_processes.others);
    waited = wait_for(orphan_processes.leaders, now() + core::unkillable_after, signals);
    return waited == WaitOutcome::all_ended ? wait_for(orphan_processes.others, now() + core::unkillable_after, signals)
                                            : waited;
}

}  // namespace

std::string describe(const std::vector<os::Orphan>& orphans) {
    std::string text;
    for (const auto& orphan : orphans) {
        if (!text.empty()) text += ", ";
        text += orphan.worker + " (pid " + std::to_string(orphan.pid) + ", " + wire::printable(orphan.command) + ")";
    }
    return text;
}

Result<void> replace_orphans(const std::vector<os::Orphan>& orphans, const core::Policy& policy,
                             const os::Signals& signals, Log& log) {
    log.write(core::Level::warning, "orphans_replaced",
              "stopping workers of an earlier supervisor that are still running: " + describe(orphans));
    auto orphan_processes = find_processes(orphans);
    if (!orphan_processes) {
        return error("cannot stop the workers of an earlier supervisor: " + orphan_processes.error().text);
    }
    const WaitOutcome waited = end_processes(*orphan_processes, policy, signals);
    switch (waited) {
        case WaitOutcome::all_ended:
            return {};
        case WaitOutcome::interrupted:
            return error("interrupted while stopping the workers of an earlier supervisor");
        case WaitOutcome::timed_out:
            break;
    }
    return error("cannot stop the workers of an earlier supervisor: still running after SIGKILL: " + describe(orphans));
}

}  // namespace holdfast::runtime
