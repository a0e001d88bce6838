#pragma once

#include <signal.h>

#include <array>
#include <atomic>
#include <cstdint>

#include "unique_fd.hpp"

namespace holdfast {

// The process-wide state of a worker: its two stop signals, and the handling of fork. One at a time.
//
// Signal handlers and fork handlers have no user argument; they find the object through a global variable of
// process.cpp. Nothing else uses that variable.
class Process {
  public:
    // Throws std::logic_error if this process already has one.
    explicit Process(int control_fd);
    ~Process();
    Process(const Process&) = delete;
    Process& operator=(const Process&) = delete;

    // An eventfd that is readable after a stop signal or wake().
    int wake_fd() const { return wake_.get(); }
    void wake();
    void clear_wake();

    // Restores the previous actions of the stop signals. Further calls do nothing. From any thread.
    void restore_signals();

    // Lets this thread receive the stop signals.
    static void unblock_signals();

    // Has the same effect as a stop signal.
    void request_stop();

    // Returns the number of stop signals since the last call.
    std::uint32_t take_stop_signals();

  private:
    static constexpr std::array signals_{SIGTERM, SIGINT};

    UniqueFd wake_;
    std::array<struct sigaction, signals_.size()> former_{};
    std::atomic<bool> handles_signals_ = true;
};

// The pid of this process, correct in a forked child as well, once a Process has existed. One load, no system call.
pid_t current_pid();

// Whether this process itself created the last Worker: false in a forked child. Two loads.
bool is_worker_process();

}  // namespace holdfast
