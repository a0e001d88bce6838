#pragma once

#include <sys/types.h>

#include <functional>
#include <vector>

#include "base/exit_status.hpp"
#include "base/result.hpp"
#include "os/process.hpp"

namespace holdfast::os {

// Makes orphans among our descendants our children instead of init's. Preserved over execve, not inherited by children.
Result<void> become_subreaper();

// Restores the default disposition of SIGCHLD. Our parent may have ignored it; that is inherited and makes the kernel
// reap children automatically.
void reset_sigchld();

// What to do with a child that has ended.
enum class ReapDecision {
    reap,   // belongs to no worker: reap it now
    keep,   // a leader: its owner calls Reaper::reap(), at once or when the process group is empty
    defer,  // unknown, perhaps the child of a launch that is not reported yet: classify it again at the next collect()
};

// The only object in the process that reaps. Exception: Launcher reaps children that never executed anything; waitid(2)
// without __WALL does not return those. Not thread-safe.
class Reaper {
  public:
    using Classifier = std::function<ReapDecision(pid_t, const ExitStatus&)>;

    // Call it after SIGCHLD (several may have been merged into one), and after a launch was reported while a decision
    // was `defer`. Calls `classify` once for each child that has ended. Costs three system calls for each exit; while
    // an ended leader is kept, also one for each live child. On an error some children that have ended may not have
    // been found: call it again.
    Result<void> collect(const Classifier& classify);

    // Reaps a kept leader and empties it; its pid may be reused afterwards. May be called by the classifier. EAGAIN if
    // it has not ended, ESRCH if it is empty.
    Result<ExitStatus> reap(Leader& leader);

    // Releases a leader that will not be reaped by its owner, although other processes of its group are alive. It is
    // reaped now if it has ended, otherwise like an unknown child when it ends. Empties it.
    void disown(Leader& leader);

  private:
    enum class Outcome { reaped, left };

    bool is_kept(pid_t pid) const;
    Outcome handle_ended_child(const Classifier& classify, pid_t pid, const ExitStatus& status);
    Result<void> collect_others(const Classifier& classify, pid_t skipped);

    std::vector<pid_t> kept_;  // classified but not reaped; only a few
};

}  // namespace holdfast::os
