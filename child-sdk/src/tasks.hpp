#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <holdfast/message.hpp>
#include <list>
#include <mutex>
#include <optional>
#include <stop_token>
#include <string>
#include <thread>
#include <vector>

namespace holdfast {

// Background threads with a name. Any thread may call anything. No function of the program (a body, what it owns, a
// stop callback) ever runs while the mutex is held.
class Tasks {
  public:
    using Clock = std::chrono::steady_clock;

    // `ended` is called by each task when its body is gone.
    explicit Tasks(std::function<void()> ended) : ended_(std::move(ended)) {}

    // The task's number; nothing after close().
    std::optional<std::uint32_t> start(std::string name, std::function<void(std::stop_token)> body);

    // Also of those that are started later.
    void request_stop();

    // Joins those whose body has returned: waits for nothing else.
    void join_ended();
    void join_all();

    // Those that are not joined, the oldest first.
    std::vector<std::uint32_t> running() const;

    // Whether all are joined; if so, no further one can be started.
    enum class Closed { yes, no };
    Closed close_if_empty();

    // Those whose body still runs: their number, and the oldest as lines of a drain report.
    std::uint64_t describe(Clock::time_point now, std::vector<Waiting>& report) const;

  private:
    struct Task {
        std::uint32_t number = 0;
        std::string name;
        Clock::time_point since;
        std::stop_source stop;
        bool ended = false;
        std::thread thread;
    };

    void run(Task& task, std::function<void(std::stop_token)> body);

    const std::function<void()> ended_;
    mutable std::mutex mutex_;
    std::list<Task> tasks_;
    std::uint32_t last_number_ = 0;
    bool stop_requested_ = false;
    bool is_closed_ = false;
};

}  // namespace holdfast
