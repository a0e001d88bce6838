#pragma once

#include <sys/types.h>

#include <cstdint>
#include <span>
#include <string>
#include <utility>

#include "base/result.hpp"
#include "os/unique_fd.hpp"

namespace holdfast::os {

// One process and its pidfd: whatever becomes of the number, the descriptor means this process and no other.
// Empty (false) by default and after a move.
class Process {
  public:
    Process() = default;
    Process(pid_t pid, UniqueFd pidfd) noexcept : pid_(pid), pidfd_(std::move(pidfd)) {}
    Process(Process&& other) noexcept : pid_(std::exchange(other.pid_, 0)), pidfd_(std::move(other.pidfd_)) {}
    Process& operator=(Process&& other) noexcept {
        pid_ = std::exchange(other.pid_, 0);
        pidfd_ = std::move(other.pidfd_);
        return *this;
    }

    explicit operator bool() const noexcept { return pid_ > 0; }
    pid_t pid() const noexcept { return pid_; }  // 0 when empty
    int pidfd() const noexcept { return pidfd_.get(); }

  private:
    pid_t pid_ = 0;
    UniqueFd pidfd_;
};

// The process that was started for a worker: our child, leader of its group, not reaped yet. As long as one exists its
// number, and with it the group's, cannot belong to a stranger. Only Launcher makes it, only Reaper ends it (and
// leaves it empty), so a group cannot be signalled after that.
class Leader {
  public:
    Leader() = default;
    explicit Leader(Process process) noexcept : process_(std::move(process)) {}

    explicit operator bool() const noexcept { return static_cast<bool>(process_); }
    const Process& process() const noexcept { return process_; }
    pid_t pid() const noexcept { return process_.pid(); }
    int pidfd() const noexcept { return process_.pidfd(); }

  private:
    Process process_;
};

// All of these fail with ESRCH for an empty one and for one that is gone, with EPERM where the kernel forbids it. The
// error's text names signal and pid. Signal 0 asks without sending.
Result<void> send_signal(const Process& process, int signal);
Result<void> signal_group(const Leader& leader, int signal);
// SIGKILL, under a name that no variable can hide.
Result<void> kill_now(const Process& process);
Result<void> kill_group_now(const Leader& leader);

// Whether it is SIGKILL.
bool is_kill(int signal);

// Whether it has ended, reaped or not.
bool has_ended(const Process& process);

// The process that `pid` was when it started at `start_time` (ProcessStatus::start_time); ESRCH when the number
// belongs to another by now.
Result<Process> open_process(pid_t pid, std::uint64_t start_time);

// For MAINPID=: the claimed process, if it is alive, runs as `uid`, and descends from the worker's leader (an orphan
// descends when it is in the leader's group or has one of the worker's `markers`, see process_tree.hpp).
// Costs a few reads of /proc, and never more than 64 whatever a worker claims.
Result<Process> claim_main_process(pid_t claimed, const Leader& leader, std::span<const std::string> markers,
                                   uid_t uid);

}  // namespace holdfast::os
