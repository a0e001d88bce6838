#include "os/process.hpp"

#include <poll.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>

#include "base/exit_status.hpp"
#include "os/errno_error.hpp"
#include "os/process_table.hpp"

namespace holdfast::os {
namespace {

std::string sending(int signal, const std::string& whom) { return "send " + signal_name(signal) + " to " + whom; }

std::string describe_process(pid_t pid) { return "process " + std::to_string(pid); }

Result<UniqueFd> open_pidfd(pid_t pid) {
    UniqueFd pidfd{static_cast<int>(::syscall(SYS_pidfd_open, pid, 0))};
    if (!pidfd) return errno_error("open " + describe_process(pid));
    return pidfd;
}

Result<bool> descends_from(pid_t pid, const Leader& leader, std::span<const std::string> markers) {
    constexpr int longest_chain = 30;
    const pid_t self = ::getpid();
    for (int step = 0; step < longest_chain; ++step) {
        if (pid == leader.pid()) return true;
        const auto status = process_status(pid);
        if (!status) return status.error();
        if (!*status || (*status)->parent <= 1 || pid == self) return false;
        if ((*status)->parent == self) {
            return (*status)->group == leader.pid() ? Result<bool>(true) : has_environment_entry(pid, markers);
        }
        pid = (*status)->parent;
    }
    return false;
}

}  // namespace

Result<void> send_signal(const Process& process, int signal) {
    if (!process) return errno_error(sending(signal, "a process that no longer exists"), ESRCH);
    if (::syscall(SYS_pidfd_send_signal, process.pidfd(), signal, nullptr, 0) == 0) return {};
    return errno_error(sending(signal, describe_process(process.pid())));
}

Result<void> signal_group(const Leader& leader, int signal) {
    if (!leader) return errno_error(sending(signal, "a process group that no longer exists"), ESRCH);
    if (::kill(-leader.pid(), signal) == 0) return {};
    return errno_error(sending(signal, "process group " + std::to_string(leader.pid())));
}

bool is_kill(int signal) { return signal == SIGKILL; }

Result<void> kill_now(const Process& process) { return send_signal(process, SIGKILL); }

Result<void> kill_group_now(const Leader& leader) { return signal_group(leader, SIGKILL); }

bool has_ended(const Process& process) {
    pollfd end{process.pidfd(), POLLIN, 0};
    return !process || ::poll(&end, 1, 0) > 0;  // a poll that fails says nothing
}

Result<Process> open_process(pid_t pid, std::uint64_t start_time) {
    Result<UniqueFd> pidfd = open_pidfd(pid);
    if (!pidfd) return pidfd.error();
    // Checked after the pidfd was opened: if the pid still belongs to that process now, it did then.
    const auto status = process_status(pid);
    if (!status) return status.error();
    if (!*status || (*status)->start_time != start_time) return errno_error("open " + describe_process(pid), ESRCH);
    return Process{pid, std::move(*pidfd)};
}

Result<Process> claim_main_process(pid_t claimed, const Leader& leader, std::span<const std::string> markers,
                                   uid_t uid) {
    const std::string taking = "take " + describe_process(claimed) + " for the main process";
    if (claimed <= 1 || claimed == ::getpid() || !leader) return errno_error(taking, EINVAL);
    Result<UniqueFd> pidfd = open_pidfd(claimed);
    if (!pidfd) return errno_error(taking, pidfd.error().code);
    const auto is_ours = descends_from(claimed, leader, markers);
    const auto owner = process_uid(claimed);
    // If the process is alive now, the pid has belonged to it during all checks.
    Process process{claimed, std::move(*pidfd)};
    if (has_ended(process)) return errno_error(taking, ESRCH);
    if (!is_ours || !owner) return error("cannot " + taking + ": " + (is_ours ? owner.error() : is_ours.error()).text);
    if (!*is_ours) return error("cannot " + taking + ": it does not descend from the worker", EPERM);
    if (*owner != uid) return error("cannot " + taking + ": it runs as another user", EPERM);
    return process;
}

}  // namespace holdfast::os
