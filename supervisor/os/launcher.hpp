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

// What one worker gets beside its spec. Descriptors are borrowed.
struct LaunchPlan {
    std::vector<std::string> environment;  // "KEY=VALUE"; wins over the spec's. LISTEN_*, WATCHDOG_* are the launcher's
    std::vector<int> inherited_fds;        // become 3, 4, …: the listeners, then whatever else (the control fd)
    std::vector<std::string> listener_names;  // of the first so many of them: LISTEN_FDS and LISTEN_FDNAMES
    std::int64_t watchdog_usec = 0;           // WATCHDOG_USEC, and WATCHDOG_PID with it; 0: neither
    int output_fd = -1;                       // standard output; -1: the supervisor's own
    int error_fd = -1;                        // standard error; -1: the supervisor's own
};

// Starts workers, one at a time; every thread needs its own. The worker sees exactly 0, 1, 2 and what the plan names,
// default signal dispositions, an empty signal mask, and a process group of its own.
//
// clone(2) with CLONE_VM|CLONE_VFORK|CLONE_PIDFD on a stack of its own: the cost does not grow with the supervisor. The
// calling thread stands still until the command was executed, on a dead mount for ever; then this object with its
// stack must stay as long as the thread.
class Launcher {
  public:
    Launcher() = default;
    ~Launcher();
    Launcher(const Launcher&) = delete;
    Launcher& operator=(const Launcher&) = delete;

    // The worker, its command executed; or why not, with nothing left behind.
    std::variant<Leader, LaunchFailure> launch(const LaunchSpec& spec, const LaunchPlan& plan);

    // For other threads, when launch() hangs: what it stands still for is killed, and executes nothing any more; nor
    // does what this object is to launch later (ECANCELED). The thread is free as soon as the kernel lets it go.
    void give_up();

  private:
    std::optional<LaunchFailure> prepare();
    bool is_given_up() const noexcept { return __atomic_load_n(&given_up_, __ATOMIC_SEQ_CST) != 0; }
    void store_child(pid_t pid);
    Process release_child();

    void* stack_ = nullptr;
    UniqueFd null_device_;
    std::mutex mutex_;  // not held while launch() stands still
    Process child_;     // held by its pidfd, not by its number, which may be anybody's once it is reaped
    // The child reads and writes these with atomic built-ins: it may not run code of libstdc++.
    int given_up_ = 0;
    pid_t child_in_launch_ = 0;  // not 0: it lives, and its pidfd is known
    int child_pidfd_ = -1;       // written by the kernel before the child runs
};

}  // namespace holdfast::os
