#pragma once

#include <sys/types.h>

#include <functional>
#include <vector>

#include "base/exit_status.hpp"
#include "base/result.hpp"
#include "os/process.hpp"

namespace holdfast::os {

// Orphans among our descendants become our children instead of init's. Kept over execve, not by children.
Result<void> become_subreaper();

// SIGCHLD ignored by our parent is inherited, and makes the kernel reap behind our back: back to the default.
void reset_sigchld();

// What shall become of a child that has ended.
enum class ReapDecision {
    reap,   // nobody's: reap it now and forget it
    keep,   // a leader: its owner calls Reaper::reap(), at once or when its group is empty
    defer,  // unknown, but perhaps the child of a launch that has not been reported yet: ask again at the next
            // collect()
};

// The only one in the process that reaps (Launcher reaps children that never came to execute anything; waitid(2)
// without __WALL cannot see those). One thread.
class Reaper {
  public:
    using Classifier = std::function<ReapDecision(pid_t, const ExitStatus&)>;

    // To be called after SIGCHLD (several may have been merged into one), and after a launch was reported while a
    // verdict was `defer`. Asks `classify` once for each child that has ended. Three system calls for each exit, while
    // no ended leader is kept; else also one for each child that lives.
    void collect(const Classifier& classify);

    // Ends a kept leader: its number may be anyone's afterwards. Empties it. May be called by the classifier.
    // EAGAIN if it has not ended, ESRCH if it is empty.
    Result<ExitStatus> reap(Leader& leader);

    // Gives up a leader that nobody will reap, though others of its group live: reaped now if it has ended, else as a
    // stranger when it ends. Empties it.
    void disown(Leader& leader);

  private:
    enum class Outcome { reaped, left };

    bool is_kept(pid_t pid) const;
    Outcome ask(const Classifier& classify, pid_t pid, const ExitStatus& status);
    void collect_behind(const Classifier& classify, pid_t asked);

    std::vector<pid_t> kept_;  // judged, not reaped: few
};

}  // namespace holdfast::os
