#pragma once

#include <chrono>
#include <functional>
#include <holdfast/message.hpp>
#include <list>
#include <mutex>
#include <stop_token>
#include <string>
#include <thread>
#include <vector>

namespace holdfast {

// Background threads with a name. Any thread may call anything; join_all() is for one at a time. No function of the
// program (a body, what it owns, a stop callback) ever runs while the mutex is held.
class Tasks {
  public:
    using Clock = std::chrono::steady_clock;

    // Refused after join_all().
    enum class Start { started, refused };
    Start start(std::string name, std::function<void(std::stop_token)> body);

    // Also of those that are started later.
    void request_stop();

    void join_all();

    // Those that still run.
    void describe(Clock::time_point now, std::vector<Waiting>& report) const;

  private:
    struct Task {
        std::string name;
        Clock::time_point since;
        std::stop_source stop;
        bool ended = false;
        std::thread thread;
    };

    std::list<Task> take_ended();

    mutable std::mutex mutex_;
    std::list<Task> tasks_;
    bool stop_requested_ = false;
    bool is_closed_ = false;
};

}  // namespace holdfast
