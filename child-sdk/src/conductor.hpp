#pragma once

#include <signal.h>

#include <array>
#include <atomic>
#include <chrono>
#include <condition_variable>
#include <functional>
#include <holdfast/message.hpp>
#include <holdfast/request.hpp>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include "control_pipe.hpp"
#include "held_things.hpp"
#include "resources.hpp"
#include "tasks.hpp"

namespace holdfast {

// Brings the program from one stage to the next, and knows what it still holds.
//
//      starting --open--> serving --nothing held, wanted: drain--> releasing --all closed--> released
//
// What is wanted (the last stage that was told) and what is reached are different things: obey() only notes the
// wish; the conducting thread runs the callbacks that lead there, one stage at a time, and so a wish that changes
// meanwhile is never half obeyed. Nothing leads back from `releasing`.
//
// Any thread may call anything. Shared with every Held, which may outlive the Worker.
class Conductor : public std::enable_shared_from_this<Conductor> {
  public:
    using Clock = std::chrono::steady_clock;
    using Callback = std::function<void()>;

    explicit Conductor(UniqueFd control);

    // The program's side.
    void add_callback(Stage stage, Callback callback);
    void start_task(std::string name, std::function<void(std::stop_token)> task);
    void close_last(std::string name, Callback close);
    Held begin(HeldThings::Kind kind, std::string_view name);
    void end(void* entry);
    void ready();
    int wait();
    std::optional<Clock::time_point> deadline() const;
    const std::atomic<bool>& draining() const { return draining_; }
    bool is_forked_child() const;

    // The helper thread's side.
    const ControlPipe& pipe() const { return pipe_; }
    void obey(const Command& command);
    bool is_finished() const;  // released, or given up

    // To be called after obey() and once a second while it says so: reports, and retries what the system refused.
    enum class Attention { at_rest, within_a_second };
    Attention attend();

    // The last deadline has passed and no supervisor will act on it: reports, lets wait() return 3, or, if nobody
    // waits, ends the process.
    void give_up();

    // The end of the Worker; the helper thread is gone.
    void shut_down();

  private:
    enum class Phase { starting, serving, releasing, released };
    using Lock = std::unique_lock<std::mutex>;

    void open();
    void cancel(Lock& lock);
    void ensure_thread();
    void conduct();
    bool has_work() const;
    void reach(Stage stage, Lock& lock);
    void release(Lock& lock);
    void run_callbacks(Stage stage);
    void refuse_if_releasing(std::string_view what) const;
    [[noreturn]] static void refuse(std::string_view what);
    Report report() const;

    const ControlPipe pipe_;
    const pid_t pid_;
    sigset_t mask_{};  // of the thread that made the worker: callbacks run with it
    std::atomic<bool> draining_{false};
    Tasks tasks_;
    Resources resources_;

    mutable std::mutex mutex_;  // all below; taken before the mutexes of tasks and resources
    std::condition_variable changed_;
    Phase phase_ = Phase::starting;
    Stage wanted_ = Stage::run;  // never cancel: that is a drain in a hurry
    Stage reached_ = Stage::run;
    bool is_ready_ = false;
    bool answer_due_ = false;  // `run` is answered even if nothing had to be undone
    bool cancelled_ = false;
    bool left_something_ = false;  // at the cancel, or by a close that threw
    bool gave_up_ = false;
    bool shutting_down_ = false;
    int waiters_ = 0;
    std::optional<Clock::time_point> deadline_;
    HeldThings held_;
    std::array<std::vector<Callback>, 5> callbacks_;
    std::thread conductor_;
    std::thread canceller_;
};

}  // namespace holdfast
