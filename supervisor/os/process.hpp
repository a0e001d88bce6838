#pragma once

#include <sys/types.h>

#include <cstdint>
#include <span>
#include <string>
#include <utility>

#include "base/result.hpp"
#include "os/unique_fd.hpp"

namespace holdfast::os {

// A process, identified by its pidfd: even if the pid is reused, the descriptor refers to this process only. Empty
// (false) by default and after a move.
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

// The process that was started for a worker: our child, the leader of its process group, not reaped yet. As long as a
// Leader exists, neither the pid nor the process group can be reused. Only Launcher creates it and only Reaper ends it
// (leaving it empty), so that no signal is sent to the group after that.
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

// All of these fail with ESRCH for an empty process and for one that no longer exists, and with EPERM if the kernel
// forbids it. The text of the error names the signal and the pid. Signal 0 only checks.
Result<void> send_signal(const Process& process, int signal);
Result<void> signal_group(const Leader& leader, int signal);
// SIGKILL, under a name that can be searched for: no variable can contain it.
Result<void> kill_now(const Process& process);
Result<void> kill_group_now(const Leader& leader);

bool is_kill(int signal);

// Whether the process has ended, reaped or not.
bool has_ended(const Process& process);

// Opens the process with this pid that started at `start_time` (ProcessStatus::start_time). ESRCH if the pid belongs to
// another process now.
Result<Process> open_process(pid_t pid, std::uint64_t start_time);

// Verifies MAINPID=: returns the claimed process if it is alive, runs as `uid`, and descends from the worker's leader
// (an orphan counts as a descendant if it is in the leader's group or has one of the worker's `markers`, see
// process_tree.hpp). Costs a few reads of /proc, at most 64 whatever a worker claims.
Result<Process> claim_main_process(pid_t claimed, const Leader& leader, std::span<const std::string> markers,
                                   uid_t uid);

}  // namespace holdfast::os
