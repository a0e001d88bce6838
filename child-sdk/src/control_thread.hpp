#pragma once

#include <atomic>
#include <chrono>
#include <optional>
#include <string>
#include <thread>

#include "health.hpp"
#include "poller.hpp"
#include "process.hpp"
#include "stage_machine.hpp"

namespace holdfast {

// How long a worker that stands alone gives itself.
struct StagePeriods {
    std::chrono::milliseconds lame_duck;
    std::chrono::milliseconds grace;
    std::chrono::milliseconds cancel;
};

// Hears the supervisor, the signals and the health probes, and passes on what they want. Where nobody else keeps the
// deadlines (no supervisor, or not any more), it does. Driven by a thread of its own, which blocks all signals in
// itself, so that they reach the program's own threads, and sleeps without a timeout unless the worker is leaving; or
// by dispatch().
class ControlThread {
  public:
    // `health` empty: no probes. `watchdog` 0: nobody wants to hear that we live. Throws std::system_error,
    // std::invalid_argument (the address of `health`).
    ControlThread(StageMachine& stage_machine, Process& process, StagePeriods periods, const std::string& health,
                  std::chrono::microseconds watchdog);
    ~ControlThread();
    ControlThread(const ControlThread&) = delete;
    ControlThread& operator=(const ControlThread&) = delete;

    void start_thread();

    // For who drives it himself: when fd() is readable. Does what there is to do, the stage machine's steps included.
    // Throws std::logic_error where it is already at it.
    int fd() const { return poller_.fd(); }
    void dispatch();

    bool is_supervised() const { return is_supervised_.load(std::memory_order_relaxed); }

  private:
    using Clock = std::chrono::steady_clock;
    enum class LocalStage {
        serving,
        lame_duck,
        grace,
        cancel,
        given_up
    };  // of the ladder of a worker that stands alone

    void handle_events(Poller::Timeout timeout);
    void receive_commands();
    void handle_signals();
    void check_deadline();
    void begin_local_stop();
    void enter_next_local_stage();
    void apply_local_stage(Stage stage, Clock::time_point end, Clock::time_point kill);
    void send_watchdog();
    void set_alarm(std::optional<Clock::time_point> next_report);

    StageMachine& stage_machine_;
    Process& process_;
    const StagePeriods periods_;
    Poller poller_;
    std::optional<Health> health_;
    std::atomic<bool> is_supervised_;
    std::atomic_flag dispatching_;
    bool stop_requested_ = false;  // STOPPING=1 was said
    LocalStage local_stage_ = LocalStage::serving;
    std::optional<Clock::time_point> local_stage_end_;
    Clock::time_point last_stage_change_;
    const std::chrono::microseconds watchdog_;
    std::optional<Clock::time_point> next_watchdog_;  // empty: nobody wants to hear it
    std::jthread thread_;                             // last: it uses all the others
};

}  // namespace holdfast
