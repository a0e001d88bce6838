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
#include <holdfast/worker.hpp>
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

// Brings the program from one stage to the next, and tracks what it still holds.
//
//  starting --open--> serving --nothing in flight, wanted: drain--> releasing --nothing held--> finishing --> released
//
// The wanted stage (the last one received) and the reached stage differ: apply() only records the wanted stage; step()
// runs the callbacks that lead there, one stage at a time. A stage that changes during a callback is therefore never
// half entered. Nothing leads back from `releasing`. The steps run on an own thread, or in advance().
//
// Thread-safe. Shared with all sessions and items of work, which may outlive the Worker.
class StageMachine : public std::enable_shared_from_this<StageMachine> {
  public:
    using Clock = std::chrono::steady_clock;
    using Lock = std::unique_lock<std::mutex>;
    enum class Steps { own_thread, advance };
    static constexpr int unclean_exit_status = 3;  // same as the supervisor's status after it had to kill

    // `changed` is called when advance() or send_due_report() may have work to do; from any thread, with the lock held.
    static std::shared_ptr<StageMachine> make(UniqueFd control, Steps steps, Runner::Post post,
                                              WorkerOptions::GiveUp policy, std::function<void()> changed);
    StageMachine(const StageMachine&) = delete;
    StageMachine& operator=(const StageMachine&) = delete;

    // Called by the program.
    void add_callback(Stage stage, Callback callback);
    void add_released_callback(Callback callback);
    void add_accepting(Callback stop, Callback start);
    std::uint32_t start_task(std::string name, std::function<void(std::stop_token)> task, TaskOptions options);
    std::uint32_t add_resource(std::string name, std::function<void()> close, ResourceGraph::Order order);
    void add_user(std::uint32_t resource, User user);
    void set_close_period(std::uint32_t resource, std::chrono::milliseconds period);
    RequestRegistry& request_registry() const { return *request_registry_; }
    std::shared_ptr<SessionState> begin_session(std::string_view name,
                                                std::optional<std::chrono::milliseconds> leave_within);
    void end_session(SessionState& session);
    void rename_session(SessionState& session, std::string_view name);
    void set_leave_within(SessionState& session, std::chrono::milliseconds period);
    std::optional<Clock::time_point> deadline_of(const SessionState& session) const;
    std::shared_ptr<WorkState> hold_work(std::string_view name, std::function<void()> hand_back);
    bool claim(WorkState& item);
    void release_work(WorkState& item);  // hands it back unless it was claimed
    void ready();
    int wait();
    void open();  // the program has registered its callbacks: deferred stages begin
    std::optional<int> result() const;
    std::optional<Clock::time_point> deadline() const;
    DrainReport report() const;
    const std::atomic<bool>& draining() const { return draining_; }
    bool is_serving() const;  // ready, and in the run stage
    bool is_forked_child() const;
    void refuse_in_child(std::string_view what) const;       // throws in a forked child
    [[noreturn]] static void refuse(std::string_view what);  // because the drain is over

    // Called by the control thread.
    const ControlPipe& pipe() const { return pipe_; }
    void apply(const Command& command);
    bool is_finished() const;  // released, or gave up
    bool is_cancelled() const;
    bool take_stop_request();            // a task asks for a stop; returns it once
    bool has_stopped_accepting() const;  // the drain callbacks have returned

    // Takes all steps that are possible now. Does nothing if the steps have their own thread.
    void advance();

    // Sends the drain report if it is due, and retries to start threads that the system refused. Call it last in an
    // iteration, and again at the time that it returns.
    std::optional<Clock::time_point> send_due_report();

    // Called when the last deadline has passed and there is no supervisor: logs what is held and ends the process
    // with status 3, or makes wait() return 3. Returns too_late and does nothing if everything was released just
    // before.
    enum class GaveUp { yes, too_late };
    GaveUp give_up();

    // Called by the destructor of the Worker, after the control thread has ended.
    void shut_down();

  private:
    enum class Phase { starting, serving, releasing, finishing, released };
    enum class Stepped { yes, no };

    StageMachine(UniqueFd control, Steps steps, Runner::Post post, WorkerOptions::GiveUp policy,
                 std::function<void()> changed);

    void on_task_ended(const Tasks::Ended& how);
    void note_change();  // call with the lock held, as all functions below that take no lock
    void begin_serving();
    void cancel();
    void run_cancel();
    enum class Start { started, failed };
    Start start(std::thread& thread, std::string_view purpose, std::function<void()> body);
    void ensure_thread();
    void run_steps();
    std::optional<Clock::time_point> next_step_time() const;
    Stepped step(Lock& lock);
    bool has_work() const;
    bool must_enter_stage() const;
    void enter_stage(Stage stage, Lock& lock);
    bool may_answer(Stage stage) const;
    void notify_sessions(Lock& lock);
    bool may_release();
    bool only_tasks_begin_requests() const;
    Tasks::Closed refuse_new();
    void begin_release(Lock& lock);
    Stepped release_some(Lock& lock);
    Stepped close_next(Lock& lock);
    using Close = std::shared_ptr<std::function<void()>>;
    void close(ResourceGraph::Id resource, const Close& function);
    void run_hand_backs(const WorkItems::Due& due, Lock& lock);
    void note_overdue_closes();
    void log_unsaid(Lock& lock);
    bool holds_nothing();
    void finish_release(Lock& lock);
    void note_failure(std::string text);
    bool is_released() const { return phase_ == Phase::released; }
    void refuse_if_releasing(std::string_view what) const;

    DrainReport describe(Clock::time_point now) const;
    Report make_report(Clock::time_point now) const;
    void send_state();
    std::optional<std::int64_t> extension(Clock::time_point now);

    const ControlPipe pipe_;
    const pid_t pid_;
    const Steps steps_;
    const WorkerOptions::GiveUp policy_;
    Runner runner_;
    sigset_t signal_mask_{};  // of the thread that created the worker: callbacks run with it
    std::atomic<bool> draining_{false};
    std::shared_ptr<RequestRegistry> request_registry_;
    Tasks tasks_;

    mutable std::mutex
        mutex_;  // guards all members below; locked before the mutexes of the request registry and of the tasks
    std::condition_variable changed_;
    std::function<void()> on_change_;  // empty once the control thread has ended
    std::uint64_t changes_ = 0;
    Phase phase_ = Phase::starting;
    Stage wanted_ = Stage::run;  // never cancel, which is stored as drain and `cancelled_`
    Stage reached_ = Stage::run;
    Clock::time_point drain_since_;  // when the drain was reached
    bool is_ready_ = false;
    bool call_failed_ = false;  // a callback of the reached stage threw
    bool answer_due_ = false;   // `run` is answered even if there was nothing to undo, or lame duck came next
    bool cancelled_ = false;
    bool cancel_pending_ = false;  // the cancel was received, and its actions have not begun
    std::optional<Clock::time_point> cancel_running_since_;
    std::string_view calling_;  // the stage whose callbacks are running; empty: none
    Clock::time_point calling_since_;
    bool is_unclean_ = false;  // something was held at the cancel, or something failed
    std::vector<std::string> failed_;
    std::vector<std::string> unsaid_;  // messages for stderr, to be written without the lock
    bool stop_requested_ = false;
    bool gave_up_ = false;
    bool shutting_down_ = false;
    int waiters_ = 0;
    std::optional<Clock::time_point> deadline_;
    std::optional<Clock::time_point> next_report_;
    std::uint64_t served_at_report_ = 0;
    Sessions sessions_;
    WorkItems work_items_;
    ResourceGraph resources_;
    std::optional<ResourceGraph::Id> closing_;  // the resource being closed, unless its close is overdue
    StageCallbacks callbacks_;
    std::thread stage_thread_;
    std::thread cancel_thread_;
    std::vector<std::thread> close_threads_;
};

}  // namespace holdfast
