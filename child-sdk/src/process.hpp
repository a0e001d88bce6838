#pragma once

#include <signal.h>

#include <array>
#include <cstdint>

#include "unique_fd.hpp"

namespace holdfast {

// What a worker has in common with its whole process: two signals, and what becomes of a fork. One at a time.
//
// A signal handler and a fork handler are given no argument, so they find the present object through a variable of
// process.cpp; nothing else does.
class Process {
  public:
    // Throws std::logic_error if this process has one already.
    explicit Process(int control_fd);
    ~Process();
    Process(const Process&) = delete;
    Process& operator=(const Process&) = delete;

    // An eventfd: readable when a stop signal came, or wake() was called.
    int wake_fd() const { return wake_.get(); }
    void wake();
    void clear_wake();

    // The former actions of the stop signals. Again: nothing happens.
    void restore_signals();

    // The same as a stop signal.
    void request_stop();

    // Stop signals since the last call.
    std::uint32_t take_stop_signals();

  private:
    static constexpr std::array signals_{SIGTERM, SIGINT};

    UniqueFd wake_;
    std::array<struct sigaction, signals_.size()> former_{};
    bool handles_signals_ = true;
};

// The pid of this process, also in a forked child, once there was a Process. One load, no system call.
pid_t current_pid();

// Whether this process itself made the last Worker that it knows of: false in a forked child. Two loads.
bool is_worker_process();

}  // namespace holdfast
