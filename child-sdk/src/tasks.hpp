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

// Named background threads. Thread-safe. No function of the program (a body, the objects that it owns, a stop callback)
// runs while the mutex is held.
class Tasks {
  public:
    using Clock = std::chrono::steady_clock;

    // Each task calls `ended` when its body has been destroyed.
    explicit Tasks(std::function<void()> ended) : ended_(std::move(ended)) {}

    // Returns the number of the task; nothing after close_if_empty() has closed.
    std::optional<std::uint32_t> start(std::string name, std::function<void(std::stop_token)> body);

    // Applies also to tasks that are started later.
    void request_stop();

    // Joins tasks whose body has returned. Does not block.
    void join_ended();
    void join_all();

    // The tasks that are not joined, oldest first.
    std::vector<std::uint32_t> running() const;

    // Closes if all tasks are joined. No task can be started afterwards.
    enum class Closed { yes, no };
    Closed close_if_empty();

    // Counts the tasks whose body is running, and adds the oldest to a drain report.
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
