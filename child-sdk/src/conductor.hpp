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
#include "items.hpp"
#include "ledger.hpp"
#include "resource_graph.hpp"
#include "sessions.hpp"
#include "stage_callbacks.hpp"
#include "tasks.hpp"

namespace holdfast {

// Brings the program from one stage to the next, and knows what it still holds.
//
//   starting --open--> serving --nothing in flight, wanted: drain--> releasing --nothing held--> finishing --> released
//
// What is wanted (the last stage that was told) and what is reached are different things: obey() only notes the
// wish; step() runs the callbacks that lead there, one stage at a time, and so a wish that changes meanwhile is never
// half obeyed. Nothing leads back from `releasing`. Steps are taken by a thread of our own, or by advance().
//
// Any thread may call anything. Shared with all sessions and items of work, which may outlive the Worker.
class Conductor : public std::enable_shared_from_this<Conductor> {
  public:
    using Clock = std::chrono::steady_clock;
    using Lock = std::unique_lock<std::mutex>;
    enum class Steps { own_thread, advance };
    static constexpr int left_something_status = 3;  // as the supervisor ends when it had to kill

    // `changed` is called whenever advance() or attend() may have something to do; from any thread, under the lock.
    static std::shared_ptr<Conductor> make(UniqueFd control, Steps steps, Runner::Post post,
                                           std::function<void()> changed);
    Conductor(const Conductor&) = delete;
    Conductor& operator=(const Conductor&) = delete;

    // The program's side.
    void add_callback(Stage stage, Callback callback);
    void add_released_callback(Callback callback);
    std::uint32_t start_task(std::string name, std::function<void(std::stop_token)> task);
    std::uint32_t add_resource(std::string name, std::function<void()> close, ResourceGraph::Order order);
    void add_user(std::uint32_t resource, User user);
    void set_close_period(std::uint32_t resource, std::chrono::milliseconds period);
    Ledger::Slot* begin_request(std::string_view name);
    std::shared_ptr<SessionState> begin_session(std::string_view name,
                                                std::optional<std::chrono::milliseconds> leave_within);
    void end_session(SessionState& session);
    std::optional<Clock::time_point> deadline_of(const SessionState& session) const;
    std::shared_ptr<WorkState> hold_work(std::string_view name, std::function<void()> hand_back);
    bool claim(WorkState& item);
    void let_go(WorkState& item);  // hands it back unless it was claimed
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

    // The helper's side.
    const ControlPipe& pipe() const { return pipe_; }
    void obey(const Command& command);
    bool is_finished() const;  // released, or given up
    bool is_cancelled() const;

    // Takes all steps that can be taken now, where no thread of ours does; and says when to look again at the latest.
    void advance();

    // To be called after everything else, and at the time that it returned: sends the drain report that is due, and
    // retries what the system refused.
    std::optional<Clock::time_point> attend();

    // The report on stderr: where no supervisor tells it.
    void complain_of_held(std::string_view why) const;

    // The last deadline has passed and no supervisor will act on it: reports, lets wait() return 3, or, if nobody
    // waits, ends the process. Too late: everything was released just before, and nothing happens.
    enum class GaveUp { yes, too_late };
    GaveUp give_up();

    // The end of the Worker; the helper is gone.
    void shut_down();

  private:
    enum class Phase { starting, serving, releasing, finishing, released };
    enum class Stepped { yes, no };

    Conductor(UniqueFd control, Steps steps, Runner::Post post, std::function<void()> changed);

    void note_change();  // under the lock, as all below that take none
    void begin_serving();
    void cancel();
    void abandon();
    enum class Start { started, failed };
    Start start(std::thread& thread, std::string_view purpose, std::function<void()> body) const;
    void ensure_thread();
    void conduct();
    std::optional<Clock::time_point> next_step_time() const;
    Stepped step(Lock& lock);
    bool has_work() const;
    bool must_reach() const;
    void reach(Stage stage, Lock& lock);
    void tell_sessions(Lock& lock);
    bool may_release();
    void begin_release(Lock& lock);
    Stepped release_some(Lock& lock);
    Stepped close_next(Lock& lock);
    using Close = std::shared_ptr<std::function<void()>>;
    void close(ResourceGraph::Id resource, const Close& function);
    void put_back(const Items::Due& due, Lock& lock);
    void name_overdue();
    bool holds_nothing();
    void finish_release(Lock& lock);
    bool is_released() const { return phase_ == Phase::released; }
    void refuse_if_releasing(std::string_view what) const;
    [[noreturn]] static void refuse(std::string_view what);

    DrainReport describe(Clock::time_point now) const;
    Report facts(Clock::time_point now) const;
    void say_state();
    std::optional<std::int64_t> extension(Clock::time_point now);

    const ControlPipe pipe_;
    const pid_t pid_;
    const Steps steps_;
    Runner runner_;
    sigset_t mask_{};  // of the thread that made the worker: callbacks run with it
    std::atomic<bool> draining_{false};
    std::shared_ptr<Ledger> ledger_;
    Tasks tasks_;

    mutable std::mutex mutex_;  // all below; taken before the mutexes of ledger and tasks
    std::condition_variable changed_;
    std::function<void()> changed_elsewhere_;  // empty once the helper is gone
    std::uint64_t changes_ = 0;
    Phase phase_ = Phase::starting;
    Stage wanted_ = Stage::run;  // never cancel: that is a drain in a hurry
    Stage reached_ = Stage::run;
    bool is_ready_ = false;
    bool answer_due_ = false;  // `run` is answered even if nothing had to be undone
    bool cancelled_ = false;
    bool must_abandon_ = false;  // the cancel was told, and what belongs to it has not begun
    std::optional<Clock::time_point> abandoning_since_;
    std::string_view calling_;  // the stage whose callbacks run; empty: none do
    Clock::time_point calling_since_;
    bool left_something_ = false;  // at the cancel, or by a close that threw or overstayed
    bool gave_up_ = false;
    bool shutting_down_ = false;
    int waiters_ = 0;
    std::optional<Clock::time_point> deadline_;
    std::optional<Clock::time_point> next_report_;
    std::uint64_t served_at_report_ = 0;
    Sessions sessions_;
    Items items_;
    ResourceGraph resources_;
    std::optional<ResourceGraph::Id> closing_;  // its close runs, and is not overdue
    StageCallbacks callbacks_;
    std::thread conductor_;
    std::thread canceller_;
    std::vector<std::thread> closers_;
};

}  // namespace holdfast
