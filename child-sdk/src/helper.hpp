#pragma once

#include <chrono>
#include <optional>
#include <thread>

#include "conductor.hpp"
#include "process.hpp"

namespace holdfast {

// How long a worker that stands alone gives itself.
struct Patience {
    std::chrono::milliseconds grace{30'000};
    std::chrono::milliseconds cancel{5'000};
};

// The helper thread: hears the supervisor and the signals, and passes on what they want. Where nobody else keeps the
// deadlines (no supervisor, or not any more), it does. Blocks all signals in itself, so that they reach the program's
// own threads; sleeps without a timeout unless the worker is leaving.
class Helper {
  public:
    Helper(Conductor& conductor, Process& process, Patience patience);
    ~Helper();
    Helper(const Helper&) = delete;
    Helper& operator=(const Helper&) = delete;

    bool is_supervised() const { return is_supervised_.load(std::memory_order_relaxed); }

  private:
    using Clock = std::chrono::steady_clock;

    void run(const std::stop_token& stop);
    void hear();
    void heed_signals();
    void keep_deadlines();
    void leave_alone();
    void cancel_alone();
    std::optional<Clock::time_point> next_deadline() const;
    int timeout_ms(Conductor::Attention attention) const;

    Conductor& conductor_;
    Process& process_;
    const Patience patience_;
    std::atomic<bool> is_supervised_;
    bool asked_to_stop_ = false;  // STOPPING=1 was said
    std::optional<Clock::time_point> grace_end_;
    std::optional<Clock::time_point> cancel_end_;
    Clock::time_point last_step_;
    std::jthread thread_;  // last: it uses all the others
};

}  // namespace holdfast
