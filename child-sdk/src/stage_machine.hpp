#pragma once

#include <signal.h>

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <functional>
#include <holdfast/callback.hpp>
#include <holdfast/message.hpp>
#include <holdfast/report.hpp>
#include <holdfast/resource.hpp>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include "control_pipe.hpp"
#include "request_registry.hpp"
#include "resource_graph.hpp"
#include "sessions.hpp"
#include "stage_callbacks.hpp"
#include "tasks.hpp"
#include "work_items.hpp"

namespace holdfast {

// Brings the program from one stage to the next, and knows what it still holds.
//
//   starting --open--> serving --nothing in flight, wanted: drain--> releasing --nothing held--> finishing --> released
//
// What is wanted (the last stage that was told) and what is reached are different things: apply() only notes the
// wish; step() runs the callbacks that lead there, one stage at a time, and so a wish that changes meanwhile is never
// half obeyed. Nothing leads back from `releasing`. Steps are taken by a thread of our own, or by advance().
//
// Any thread may call anything. Shared with all sessions and items of work, which may outlive the Worker.
class StageMachine : public std::enable_shared_from_this<StageMachine> {
  public:
    using Clock = std::chrono::steady_clock;
    using Lock = std::unique_lock<std::mutex>;
    enum class Steps { own_thread, advance };
    static constexpr int unclean_exit_status = 3;  // as the supervisor ends when it had to kill

    // `changed` is called whenever advance() or send_due_report() may have something to do; from any thread, under the
    // lock.
    static std::shared_ptr<StageMachine> make(UniqueFd control, Steps steps, Runner::Post post,
                                              std::function<void()> changed);
    StageMachine(const StageMachine&) = delete;
    StageMachine& operator=(const StageMachine&) = delete;

    // The program's side.
    void add_callback(Stage stage, Callback callback);
    void add_released_callback(Callback callback);
    std::uint32_t start_task(std::string name, std::function<void(std::stop_token)> task);
    std::uint32_t add_resource(std::string name, std::function<void()> close, ResourceGraph::Order order);
    void add_user(std::uint32_t resource, User user);
    void set_close_period(std::uint32_t resource, std::chrono::milliseconds period);
    RequestRegistry::Slot* begin_request(std::string_view name);
    std::shared_ptr<SessionState> begin_session(std::string_view name,
                                                std::optional<std::chrono::milliseconds> leave_within);
    void end_session(SessionState& session);
    std::optional<Clock::time_point> deadline_of(const SessionState& session) const;
    std::shared_ptr<WorkState> hold_work(std::string_view name, std::function<void()> hand_back);
    bool claim(WorkState& item);
    void release_work(WorkState& item);  // hands it back unless it was claimed
    void ready();
    int wait();
    void open();  // the program is put together: stages that were told before begin
    std::optional<int> result() const;
    std::optional<Clock::time_point> deadline() const;
    DrainReport report() const;
    const std::atomic<bool>& draining() const { return draining_; }
    bool is_serving() const;  // ready, and not told to leave or to look as if
    bool is_forked_child() const;
    void refuse_in_child(std::string_view what) const;  // throws in a forked child

    // The control thread's side.
    const ControlPipe& pipe() const { return pipe_; }
    void apply(const Command& command);
    bool is_finished() const;  // released, or given up
    bool is_cancelled() const;

    // Takes all steps that can be taken now, where no thread of ours does; and says when to look again at the latest.
    void advance();

    // To be called after everything else, and at the time that it returned: sends the drain report that is due, and
    // retries what the system refused.
    std::optional<Clock::time_point> send_due_report();

    // The report on stderr: where no supervisor tells it.
    void log_held(std::string_view why) const;

    // The last deadline has passed and no supervisor will act on it: reports, lets wait() return 3, or, if nobody
    // waits, ends the process. Too late: everything was released just before, and nothing happens.
    enum class GaveUp { yes, too_late };
    GaveUp give_up();

    // The end of the Worker; the control thread is gone.
    void shut_down();

  private:
    enum class Phase { starting, serving, releasing, finishing, released };
    enum class Stepped { yes, no };

    StageMachine(UniqueFd control, Steps steps, Runner::Post post, std::function<void()> changed);

    void note_change();  // under the lock, as all below that take none
    void begin_serving();
    void cancel();
    void run_cancel();
    enum class Start { started, failed };
    Start start(std::thread& thread, std::string_view purpose, std::function<void()> body) const;
    void ensure_thread();
    void run_steps();
    std::optional<Clock::time_point> next_step_time() const;
    Stepped step(Lock& lock);
    bool has_work() const;
    bool must_enter_stage() const;
    void enter_stage(Stage stage, Lock& lock);
    void notify_sessions(Lock& lock);
    bool may_release();
    void begin_release(Lock& lock);
    Stepped release_some(Lock& lock);
    Stepped close_next(Lock& lock);
    using Close = std::shared_ptr<std::function<void()>>;
    void close(ResourceGraph::Id resource, const Close& function);
    void run_hand_backs(const WorkItems::Due& due, Lock& lock);
    void log_overdue_closes();
    bool holds_nothing();
    void finish_release(Lock& lock);
    bool is_released() const { return phase_ == Phase::released; }
    void refuse_if_releasing(std::string_view what) const;
    [[noreturn]] static void refuse(std::string_view what);

    DrainReport describe(Clock::time_point now) const;
    Report make_report(Clock::time_point now) const;
    void send_state();
    std::optional<std::int64_t> extension(Clock::time_point now);

    const ControlPipe pipe_;
    const pid_t pid_;
    const Steps steps_;
    Runner runner_;
    sigset_t signal_mask_{};  // of the thread that made the worker: callbacks run with it
    std::atomic<bool> draining_{false};
    std::shared_ptr<RequestRegistry> request_registry_;
    Tasks tasks_;

    mutable std::mutex mutex_;  // all below; taken before the mutexes of the request registry and of the tasks
    std::condition_variable changed_;
    std::function<void()> on_change_;  // empty once the control thread is gone
    std::uint64_t changes_ = 0;
    Phase phase_ = Phase::starting;
    Stage wanted_ = Stage::run;  // never cancel: that is a drain in a hurry
    Stage reached_ = Stage::run;
    bool is_ready_ = false;
    bool answer_due_ = false;  // `run` is answered even if nothing had to be undone
    bool cancelled_ = false;
    bool cancel_pending_ = false;  // the cancel was told, and what belongs to it has not begun
    std::optional<Clock::time_point> cancel_running_since_;
    std::string_view calling_;  // the stage whose callbacks run; empty: none do
    Clock::time_point calling_since_;
    bool is_unclean_ = false;  // at the cancel, or by a close that threw or overstayed
    bool gave_up_ = false;
    bool shutting_down_ = false;
    int waiters_ = 0;
    std::optional<Clock::time_point> deadline_;
    std::optional<Clock::time_point> next_report_;
    std::uint64_t served_at_report_ = 0;
    Sessions sessions_;
    WorkItems work_items_;
    ResourceGraph resources_;
    std::optional<ResourceGraph::Id> closing_;  // its close runs, and is not overdue
    StageCallbacks callbacks_;
    std::thread stage_thread_;
    std::thread cancel_thread_;
    std::vector<std::thread> close_threads_;
};

}  // namespace holdfast
