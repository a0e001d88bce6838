#pragma once

#include <atomic>
#include <chrono>
#include <optional>
#include <string>
#include <thread>

#include "health.hpp"
#include "listener_shutdown.hpp"
#include "poller.hpp"
#include "process.hpp"
#include "stage_machine.hpp"

namespace holdfast {

// The periods of a standalone worker.
struct StagePeriods {
    std::chrono::milliseconds lame_duck;
    std::chrono::milliseconds grace;
    std::chrono::milliseconds cancel;
};

// Receives the supervisor's commands, stop signals and health probes, and passes them to the StageMachine. Enforces the
// deadlines itself if there is no supervisor, or if it has ended. Runs on its own thread or in dispatch(). The thread
// blocks all signals but the two stop signals, so that they reach the program's threads, and sleeps without a timeout
// unless the worker is leaving.
class ControlThread {
  public:
    // `health` empty: no health endpoint. `watchdog` 0: no watchdog messages. Throws std::system_error,
    // std::invalid_argument (the address of `health`).
    ControlThread(StageMachine& stage_machine, Process& process, ListenerShutdown& listener_shutdown,
                  StagePeriods periods, const std::string& health, std::chrono::microseconds watchdog);
    ~ControlThread();
    ControlThread(const ControlThread&) = delete;
    ControlThread& operator=(const ControlThread&) = delete;

    void start_thread();

    // For a program's event loop: call dispatch() when fd() is readable. It does all pending work, including the steps
    // of the stage machine. Throws std::logic_error if it is already running.
    int fd() const { return poller_.fd(); }
    void dispatch();

    // Listens for health probes if it does not do so yet. Call it before READY=1: the worker that answers them may end
    // afterwards. Any thread.
    void join_health() {
        if (health_) health_->join();
    }

    bool is_supervised() const { return is_supervised_.load(std::memory_order_relaxed); }

  private:
    using Clock = std::chrono::steady_clock;
    enum class LocalStage { serving, lame_duck, refusing, grace, cancel, given_up };  // of a standalone worker

    void handle_events(Poller::Timeout timeout);
    void receive_commands();
    void apply(const Command& command);
    void handle_supervisor_end();
    void handle_signals();
    void check_deadline();
    void begin_local_stop();
    void enter_next_local_stage();
    ListenerShutdown::Handshakes refuse_new_clients();
    bool is_probed();  // clients of a health endpoint that is being closed may still get in
    void apply_local_stage(Stage stage, Clock::time_point end, Clock::time_point kill);
    void send_watchdog();
    std::optional<Clock::time_point> shut_down_listeners();
    void set_alarm(std::optional<Clock::time_point> next);

    StageMachine& stage_machine_;
    Process& process_;
    ListenerShutdown& listener_shutdown_;
    const StagePeriods periods_;
    Poller poller_;
    std::optional<Health> health_;
    std::atomic<bool> is_supervised_;
    std::atomic_flag dispatching_;
    bool awaits_supervisor_end_ = false;
    bool awaits_serving_ = true;   // probes wait until the answer of /readyz is final
    bool stop_requested_ = false;  // STOPPING=1 was sent
    LocalStage local_stage_ = LocalStage::serving;
    std::optional<Clock::time_point> local_stage_end_;
    Clock::time_point last_stage_change_;
    const std::chrono::microseconds watchdog_;
    std::optional<Clock::time_point> next_watchdog_;  // empty: no watchdog
    std::jthread thread_;                             // last: it uses all other members
};

}  // namespace holdfast
