#pragma once

#include <atomic>
#include <chrono>
#include <optional>
#include <string>
#include <thread>

#include "conductor.hpp"
#include "health.hpp"
#include "poller.hpp"
#include "process.hpp"

namespace holdfast {

// How long a worker that stands alone gives itself.
struct Patience {
    std::chrono::milliseconds lame_duck;
    std::chrono::milliseconds grace;
    std::chrono::milliseconds cancel;
};

// Hears the supervisor, the signals and the health probes, and passes on what they want. Where nobody else keeps the
// deadlines (no supervisor, or not any more), it does. Driven by a thread of its own, which blocks all signals in
// itself, so that they reach the program's own threads, and sleeps without a timeout unless the worker is leaving; or
// by turn().
class Helper {
  public:
    // `health` empty: no probes. `watchdog` 0: nobody wants to hear that we live. Throws std::system_error,
    // std::invalid_argument (the address of `health`).
    Helper(Conductor& conductor, Process& process, Patience patience, const std::string& health,
           std::chrono::microseconds watchdog);
    ~Helper();
    Helper(const Helper&) = delete;
    Helper& operator=(const Helper&) = delete;

    void start_thread();

    // For who drives it himself: when fd() is readable. Does what there is to do, the conductor's steps included.
    // Throws std::logic_error where it is already at it.
    int fd() const { return poller_.fd(); }
    void turn();

    bool is_supervised() const { return is_supervised_.load(std::memory_order_relaxed); }

  private:
    using Clock = std::chrono::steady_clock;
    enum class Rung { serving, lame_duck, grace, cancel, given_up };  // of the ladder of a worker that stands alone

    void handle(Poller::Patience patience);
    void hear();
    void heed_signals();
    void keep_deadlines();
    void leave_alone();
    void climb();
    void obey_alone(Stage stage, Clock::time_point end, Clock::time_point kill);
    void say_alive();
    void set_alarm(std::optional<Clock::time_point> attention);

    Conductor& conductor_;
    Process& process_;
    const Patience patience_;
    Poller poller_;
    std::optional<Health> health_;
    std::atomic<bool> is_supervised_;
    std::atomic_flag turning_;
    bool asked_to_stop_ = false;  // STOPPING=1 was said
    Rung rung_ = Rung::serving;
    std::optional<Clock::time_point> rung_end_;
    Clock::time_point last_step_;
    const std::chrono::microseconds watchdog_;
    std::optional<Clock::time_point> say_alive_at_;  // empty: nobody wants to hear it
    std::jthread thread_;                            // last: it uses all the others
};

}  // namespace holdfast
