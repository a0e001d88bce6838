#pragma once

#include <array>
#include <functional>
#include <holdfast/callback.hpp>
#include <holdfast/message.hpp>
#include <memory>
#include <mutex>
#include <optional>
#include <string_view>
#include <vector>

#include "diagnostics.hpp"

namespace holdfast {

// Runs functions of the program: on the calling thread, or on the thread that WorkerOptions::post selects. Thread-safe.
class Runner {
  public:
    using Post = std::function<void(std::function<void()>)>;

    explicit Runner(Post post) : post_(std::move(post)) {}

    // Runs the function and waits until it has returned. Logs an exception as "<what>: <message>".
    Call run(std::string_view what, const std::function<void()>& function) const;

    // Discards posted functions that have not begun, and stops waiting for them, because their thread may no longer
    // run.
    void stop();

  private:
    class Posted;

    const Post post_;
    mutable std::mutex mutex_;
    mutable std::vector<std::shared_ptr<Posted>> pending_;
    bool is_stopped_ = false;
};

// The stage callbacks of the program, in the order in which they were added. Not synchronised: none may be added once
// they can run.
class StageCallbacks {
  public:
    void add(Stage stage, Callback callback) { callbacks_[index_of(stage)].push_back(std::move(callback)); }
    void add_released(Callback callback) { released_.push_back(std::move(callback)); }

    // Adds `stop` to pause and drain, and `start` to run. Each is called only if the other one was called last.
    void add_accepting(Callback stop, Callback start);

    // Whether the program can stop accepting, and whether it can also start again. What it cannot do is neither
    // announced to the supervisor nor answered.
    bool can_stop_accepting() const { return !of(Stage::drain).empty(); }
    bool can_pause() const { return !of(Stage::pause).empty() && !of(Stage::run).empty(); }

    // Each callback receives the time until the deadline. Returns `threw` if one of them threw; all are called.
    using Deadline = std::optional<std::chrono::steady_clock::time_point>;
    Call run(Stage stage, Deadline deadline, const Runner& runner) const;
    void run_released(Deadline deadline, const Runner& runner) const;

  private:
    static std::size_t index_of(Stage stage) { return static_cast<std::size_t>(stage); }
    const std::vector<Callback>& of(Stage stage) const { return callbacks_[index_of(stage)]; }
    static Call run_all(const std::vector<Callback>& callbacks, std::string_view stage, Deadline deadline,
                        const Runner& runner);

    std::array<std::vector<Callback>, 5> callbacks_;
    std::vector<Callback> released_;
};

}  // namespace holdfast
