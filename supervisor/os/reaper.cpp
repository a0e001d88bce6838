#include "os/reaper.hpp"

#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <csignal>

#include "os/errno_error.hpp"
#include "os/process_table.hpp"

namespace holdfast::os {
namespace {

ExitStatus status_of(const siginfo_t& info) {
    if (info.si_code == CLD_EXITED) return ExitedWith{info.si_status};
    return KilledBy{info.si_status, info.si_code == CLD_DUMPED};
}

// Whether a child has ended; does not reap it.
bool has_ended(idtype_t kind, pid_t pid, siginfo_t& info) {
    info = {};
    return ::waitid(kind, static_cast<id_t>(pid), &info, WEXITED | WNOHANG | WNOWAIT) == 0 && info.si_pid != 0;
}

}  // namespace

Result<void> become_subreaper() {
    if (::prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0) == 0) return {};
    return errno_error("become a child subreaper");
}

void reset_sigchld() {
    struct sigaction to_default = {};
    to_default.sa_handler = SIG_DFL;
    ::sigaction(SIGCHLD, &to_default, nullptr);
}

Result<void> Reaper::collect(const Classifier& classify) {
    siginfo_t info;
    while (has_ended(P_ALL, 0, info)) {
        // waitid() returns the same child again as long as it is not reaped: find the others by their pids.
        if (is_kept(info.si_pid) || handle_ended_child(classify, info.si_pid, status_of(info)) != Outcome::reaped) {
            return collect_others(classify, info.si_pid);
        }
    }
    return {};
}

Result<void> Reaper::collect_others(const Classifier& classify, pid_t skipped) {
    const auto children = children_of(::getpid());
    if (!children) return children.error();
    siginfo_t info;
    for (const pid_t child : *children) {
        if (child == skipped || is_kept(child) || !has_ended(P_PID, child, info)) continue;
        handle_ended_child(classify, child, status_of(info));
    }
    return {};
}

Reaper::Outcome Reaper::handle_ended_child(const Classifier& classify, pid_t pid, const ExitStatus& status) {
    kept_.push_back(pid);  // before classify is called, because the classifier may reap it
    switch (classify(pid, status)) {
        case ReapDecision::reap:
            std::erase(kept_, pid);
            ::waitid(P_PID, static_cast<id_t>(pid), nullptr, WEXITED | WNOHANG);
            return Outcome::reaped;
        case ReapDecision::defer:
            std::erase(kept_, pid);
            return Outcome::left;
        case ReapDecision::keep:
            break;
    }
    return is_kept(pid) ? Outcome::left : Outcome::reaped;
}

Result<ExitStatus> Reaper::reap(Leader& leader) {
    const std::string reaping = "reap process " + std::to_string(leader.pid());
    if (!leader) return errno_error("reap a process that does not exist", ESRCH);
    siginfo_t info = {};
    if (::waitid(P_PIDFD, static_cast<id_t>(leader.pidfd()), &info, WEXITED | WNOHANG) != 0)
        return errno_error(reaping);
    if (info.si_pid == 0) return errno_error(reaping, EAGAIN);
    std::erase(kept_, leader.pid());
    leader = Leader{};
    return status_of(info);
}

void Reaper::disown(Leader& leader) {
    if (!leader) return;
    ::waitid(P_PIDFD, static_cast<id_t>(leader.pidfd()), nullptr, WEXITED | WNOHANG);
    std::erase(kept_, leader.pid());
    leader = Leader{};
}

bool Reaper::is_kept(pid_t pid) const { return std::find(kept_.begin(), kept_.end(), pid) != kept_.end(); }

}  // namespace holdfast::os
