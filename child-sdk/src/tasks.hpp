#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <holdfast/message.hpp>
#include <holdfast/task.hpp>
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

    // How a task ended. Passed to `ended`, on the thread of the task, when its body has been destroyed.
    struct Ended {
        std::string name;
        TaskOptions options;
        std::optional<std::string> exception{};  // its text, if one left the task
        bool was_asked = false;                  // to stop
    };
    explicit Tasks(std::function<void(const Ended&)> ended) : ended_(std::move(ended)) {}

    // Returns the number of the task; nothing after close_if_empty() has closed. A task of Start::at_ready starts with
    // start_pending(), or at once after it.
    std::optional<std::uint32_t> add(std::string name, std::function<void(std::stop_token)> body, TaskOptions options);

    // Starts the tasks that wait for it. Throws std::system_error; those that are not started still wait.
    void start_pending();

    // Applies also to tasks that are started later.
    void request_stop();

    // Joins tasks whose body has returned. Does not block.
    void join_ended();
    // Discards the tasks that were never started, and joins the others.
    void join_all();

    // Whether the calling thread is that of a task.
    bool runs_here() const;

    // The tasks that are not joined, oldest first; also those that wait for their start.
    std::vector<std::uint32_t> running() const;

    // Closes if all tasks are joined and `also`, which is called with the mutex held, returns true. No task can be
    // started afterwards.
    enum class Closed { yes, no };
    Closed close_if_empty(const std::function<bool()>& also);

    // Counts the tasks whose body is running, and adds the oldest to a drain report.
    std::uint64_t describe(Clock::time_point now, std::vector<Waiting>& report) const;

  private:
    struct Task {
        std::uint32_t number = 0;
        std::string name;
        TaskOptions options;
        std::function<void(std::stop_token)> body;  // until the start
        Clock::time_point since;
        std::stop_source stop;
        bool ended = false;
        std::thread thread;
    };

    void start(Task& task);
    void run(Task& task);

    const std::function<void(const Ended&)> ended_;
    mutable std::mutex mutex_;
    std::list<Task> tasks_;
    std::uint32_t last_number_ = 0;
    bool may_start_ = false;  // start_pending() was called
    bool stop_requested_ = false;
    bool is_closed_ = false;
};

}  // namespace holdfast
