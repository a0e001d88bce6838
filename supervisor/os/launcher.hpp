#pragma once

#include <sys/types.h>

#include <cstdint>
#include <mutex>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "os/launch_spec.hpp"
#include "os/process.hpp"
#include "os/unique_fd.hpp"

namespace holdfast::os {

// Everything that is specific to one worker. Descriptors are borrowed.
struct LaunchPlan {
    // "KEY=VALUE"; overrides the environment of the spec. The launcher itself sets LISTEN_* and WATCHDOG_*.
    std::vector<std::string> environment;
    std::vector<int> inherited_fds;           // become 3, 4, …: first the listeners, then others (the control pipe)
    std::vector<std::string> listener_names;  // of the first of them, in order: LISTEN_FDS and LISTEN_FDNAMES
    std::int64_t watchdog_usec = 0;           // WATCHDOG_USEC, and with it WATCHDOG_PID; 0: neither is set
    int output_fd = -1;                       // standard output; -1: the supervisor's own
    int error_fd = -1;                        // standard error; -1: the supervisor's own
};

// Starts workers, one at a time. Not thread-safe: every thread needs its own launcher. The worker has exactly the
// descriptors 0, 1, 2 and those of the plan, default signal dispositions, an empty signal mask, and its own process
// group.
//
// Uses clone(2) with CLONE_VM|CLONE_VFORK|CLONE_PIDFD and a separate stack, so the cost does not grow with the size of
// the supervisor. The calling thread is suspended until the command has been executed, on a dead mount forever; in that
// case this object and its stack must live as long as the thread.
class Launcher {
  public:
    Launcher() = default;
    ~Launcher();
    Launcher(const Launcher&) = delete;
    Launcher& operator=(const Launcher&) = delete;

    // Returns the leader once its command has been executed, or the failure; a failed launch leaves nothing behind.
    std::variant<Leader, LaunchFailure> launch(const LaunchSpec& spec, const LaunchPlan& plan);

    // Cancels a launch() that hangs; called from another thread. Kills the child that it waits for, so the child
    // executes nothing any more. Later calls of launch() fail with ECANCELED. The thread continues as soon as the
    // kernel lets it.
    void give_up();

  private:
    std::optional<LaunchFailure> prepare();
    bool is_given_up() const noexcept { return __atomic_load_n(&given_up_, __ATOMIC_SEQ_CST) != 0; }
    void store_child(pid_t pid);
    Process release_child();

    void* stack_ = nullptr;
    UniqueFd null_device_;
    std::mutex mutex_;  // not locked while launch() is suspended
    Process child_;     // identified by its pidfd: the pid may be reused once it is reaped
    // The child accesses these with atomic built-ins, because it must not run code of libstdc++.
    int given_up_ = 0;
    pid_t child_in_launch_ = 0;  // not 0: the child is alive, and child_pidfd_ is valid
    int child_pidfd_ = -1;       // written by the kernel before the child runs
};

}  // namespace holdfast::os
