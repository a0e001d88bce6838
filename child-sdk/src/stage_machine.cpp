// The functions that the program and the control thread call. The steps are in stage_machine_steps.cpp.

#include "stage_machine.hpp"

#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <stdexcept>
#include <utility>

#include "diagnostics.hpp"
#include "hello.hpp"
#include "period.hpp"
#include "process.hpp"
#include "wire/wire.hpp"

namespace holdfast {

namespace {

// Orders the stages from serving to cancel.
int rank_of(Stage stage) {
    switch (stage) {
        case Stage::run:
            return 0;
        case Stage::lame_duck:
            return 1;
        case Stage::pause:
            return 2;
        case Stage::drain:
            return 3;
        case Stage::cancel:
            return 4;
    }
    return 0;
}

std::optional<StageMachine::Clock::time_point> instant(std::optional<std::int64_t> usec) {
    if (!usec) return std::nullopt;
    // The clock counts nanoseconds: limits the value to what it can represent.
    constexpr std::int64_t latest = INT64_MAX / 1000;
    return StageMachine::Clock::time_point(std::chrono::microseconds(std::min(*usec, latest)));
}

std::string cut_name(std::string_view name) { return std::string(wire::cut(name, max_name_bytes)); }

}  // namespace

std::shared_ptr<StageMachine> StageMachine::make(UniqueFd control, Steps steps, Runner::Post post,
                                                 WorkerOptions::GiveUp policy, std::function<void()> changed) {
    std::shared_ptr<StageMachine> made(
        new StageMachine(std::move(control), steps, std::move(post), policy, std::move(changed)));
    made->request_registry_ = std::make_shared<RequestRegistry>([weak = made->weak_from_this()] {
        const auto stage_machine = weak.lock();
        if (!stage_machine) return;
        const std::lock_guard lock(stage_machine->mutex_);
        stage_machine->note_change();
    });
    return made;
}

StageMachine::StageMachine(UniqueFd control, Steps steps, Runner::Post post, WorkerOptions::GiveUp policy,
                           std::function<void()> changed)
    : pipe_(std::move(control)),
      pid_(current_pid()),
      steps_(steps),
      policy_(policy),
      runner_(std::move(post)),
      tasks_([this](const Tasks::Ended& how) { on_task_ended(how); }),
      on_change_(std::move(changed)) {
    ::pthread_sigmask(SIG_SETMASK, nullptr, &signal_mask_);
}

void StageMachine::add_callback(Stage stage, Callback callback) {
    const std::lock_guard lock(mutex_);
    if (phase_ != Phase::starting) {
        throw std::logic_error("cannot add a callback for " + std::string(wire::name_of(stage)) +
                               ": its stage may have begun; add callbacks before ready() and wait()");
    }
    callbacks_.add(stage, std::move(callback));
}

void StageMachine::add_released_callback(Callback callback) {
    const std::lock_guard lock(mutex_);
    if (phase_ != Phase::starting) {
        throw std::logic_error("cannot add a callback for released: add callbacks before ready() and wait()");
    }
    callbacks_.add_released(std::move(callback));
}

void StageMachine::add_accepting(Callback stop, Callback start) {
    const std::lock_guard lock(mutex_);
    if (phase_ != Phase::starting) {
        throw std::logic_error(
            "cannot add how to stop and start accepting: a stage may have begun; call accepts() before ready() and "
            "wait()");
    }
    callbacks_.add_accepting(std::move(stop), std::move(start));
}

std::uint32_t StageMachine::start_task(std::string name, std::function<void(std::stop_token)> task,
                                       TaskOptions options) {
    const std::string what = "start the task " + name;
    const auto number = tasks_.add(cut_name(name), std::move(task), options);
    if (!number) refuse(what);
    return *number;
}

// Called on the thread of the task.
void StageMachine::on_task_ended(const Tasks::Ended& how) {
    const bool is_early = !how.was_asked && how.options.need != TaskOptions::Need::finite;
    std::string text;
    if (how.exception) text = "the task " + how.name + " ended by an exception: " + *how.exception;
    if (!how.exception && is_early) text = "the task " + how.name + " returned before it was asked to stop";
    const bool stops = (how.exception && how.options.on_exception == TaskOptions::OnException::stop) ||
                       (is_early && how.options.need == TaskOptions::Need::required);
    if (!text.empty()) log_error(text + (stops ? "; the worker stops" : ""));
    const std::lock_guard lock(mutex_);
    if (how.exception || stops) note_failure(std::move(text));
    stop_requested_ = stop_requested_ || stops;
    note_change();
}

void StageMachine::note_failure(std::string text) {
    is_unclean_ = true;
    if (failed_.size() < max_waiting_of_a_kind) failed_.push_back(std::move(text));
}

bool StageMachine::take_stop_request() {
    const std::lock_guard lock(mutex_);
    return std::exchange(stop_requested_, false);
}

std::uint32_t StageMachine::add_resource(std::string name, std::function<void()> close, ResourceGraph::Order order) {
    const std::lock_guard lock(mutex_);
    refuse_if_releasing("add the resource " + name);
    return resources_.add(std::move(name), std::move(close), order, Clock::now());
}

void StageMachine::add_user(std::uint32_t resource, User user) {
    refuse_in_child("add a user to a resource");
    const std::lock_guard lock(mutex_);
    resources_.use(resource, user);
}

void StageMachine::set_close_period(std::uint32_t resource, std::chrono::milliseconds period) {
    refuse_in_child("set the timeout of a close");
    const std::lock_guard lock(mutex_);
    resources_.set_close_period(resource, bounded(period));
}

std::shared_ptr<SessionState> StageMachine::begin_session(std::string_view name,
                                                          std::optional<std::chrono::milliseconds> leave_within) {
    if (is_forked_child()) return nullptr;
    const auto now = Clock::now();
    auto session = std::make_shared<SessionState>();
    session->stage_machine = shared_from_this();
    session->name = cut_name(name);
    session->since = now;
    if (leave_within) session->leave_within = bounded(*leave_within);
    const std::lock_guard lock(mutex_);
    refuse_if_releasing("begin " + std::string(name));
    sessions_.add(*session);
    if ((reached_ == Stage::drain && wanted_ == Stage::drain) || cancelled_) {
        session->notified_at = now;
        session->stop.request_stop();
    }
    return session;
}

void StageMachine::end_session(SessionState& session) {
    if (is_forked_child()) return;  // another thread may have held the mutex at the fork
    const std::lock_guard lock(mutex_);
    sessions_.remove(session);
    if (wanted_ == Stage::drain) note_change();
}

void StageMachine::rename_session(SessionState& session, std::string_view name) {
    if (is_forked_child()) return;
    const std::lock_guard lock(mutex_);
    session.name = cut_name(name);
}

void StageMachine::set_leave_within(SessionState& session, std::chrono::milliseconds period) {
    if (is_forked_child()) return;
    const std::lock_guard lock(mutex_);
    session.leave_within = bounded(period);
    if (wanted_ == Stage::drain) note_change();
}

std::optional<StageMachine::Clock::time_point> StageMachine::deadline_of(const SessionState& session) const {
    if (is_forked_child()) return std::nullopt;
    const std::lock_guard lock(mutex_);
    if (!session.notified_at) return std::nullopt;
    if (!session.leave_within) return deadline_;
    return *session.notified_at + *session.leave_within;
}

std::shared_ptr<WorkState> StageMachine::hold_work(std::string_view name, std::function<void()> hand_back) {
    if (is_forked_child()) return nullptr;
    auto item = std::make_shared<WorkState>();
    item->stage_machine = shared_from_this();
    item->name = cut_name(name);
    item->since = Clock::now();
    item->hand_back = std::move(hand_back);
    Lock lock(mutex_);
    const bool is_done_with =
        phase_ == Phase::releasing && (holds_nothing() || resources_.is_closed_to(User::Kind::work));
    if (is_done_with || phase_ == Phase::finishing || phase_ == Phase::released) {
        refuse("hold the item of work " + std::string(name));
    }
    work_items_.add(*item);
    // After the cancel all other items have been handed back already.
    if (cancelled_) run_hand_backs(work_items_.begin_hand_back(*item), lock);
    return item;
}

bool StageMachine::claim(WorkState& item) {
    if (is_forked_child()) return false;
    const std::lock_guard lock(mutex_);
    return work_items_.claim(item);
}

void StageMachine::release_work(WorkState& item) {
    if (is_forked_child()) return;
    Lock lock(mutex_);
    work_items_.release(item);
    run_hand_backs(work_items_.begin_hand_back(item), lock);
    if (wanted_ == Stage::drain) note_change();
}

void StageMachine::run_hand_backs(const WorkItems::Due& due, Lock& lock) {
    for (const auto& item : due) {
        lock.unlock();
        const std::string what = "cannot hand back " + item->name;
        const Call call = call_or_log_error(what, item->hand_back);
        item->hand_back = nullptr;
        lock.lock();
        using enum WorkItems::HandBack;
        work_items_.end_hand_back(*item, call == Call::returned ? done : failed);
        if (call == Call::threw) note_failure("the item of work " + item->name + " is lost: its hand-back failed");
    }
    if (!due.empty() && wanted_ == Stage::drain) note_change();
}

void StageMachine::ready() {
    const std::lock_guard lock(mutex_);
    if (is_ready_) throw std::logic_error("cannot call ready() twice: the worker is already serving; remove one call");
    begin_serving();
    is_ready_ = true;
    Report report = make_report(Clock::now());
    report.ready = true;
    if (rank_of(wanted_) < rank_of(Stage::pause)) report.accepting = true;
    pipe_.send(report);
}

int StageMachine::wait() {
    Lock lock(mutex_);
    const auto is_self = [](const std::thread& thread) { return thread.get_id() == std::this_thread::get_id(); };
    if (is_self(stage_thread_) || is_self(cancel_thread_) || std::ranges::any_of(close_threads_, is_self) ||
        tasks_.runs_here()) {
        throw std::logic_error("cannot wait() in a callback or task: it would wait for itself; call it in main");
    }
    begin_serving();
    ++waiters_;
    changed_.wait(lock, [this] { return is_released() || gave_up_ || shutting_down_; });
    --waiters_;
    changed_.notify_all();
    if (!is_released() && !gave_up_) {
        throw std::logic_error("cannot wait(): another thread destroys the worker; let that thread wait()");
    }
    return gave_up_ || is_unclean_ ? unclean_exit_status : 0;
}

std::optional<int> StageMachine::result() const {
    const std::lock_guard lock(mutex_);
    if (!is_released() && !gave_up_) return std::nullopt;
    return gave_up_ || is_unclean_ ? unclean_exit_status : 0;
}

std::optional<StageMachine::Clock::time_point> StageMachine::deadline() const {
    const std::lock_guard lock(mutex_);
    return deadline_;
}

bool StageMachine::is_serving() const {
    const std::lock_guard lock(mutex_);
    return is_ready_ && wanted_ == Stage::run && reached_ == Stage::run && phase_ == Phase::serving;
}

bool StageMachine::is_finished() const {
    const std::lock_guard lock(mutex_);
    return is_released() || gave_up_;
}

bool StageMachine::is_cancelled() const {
    const std::lock_guard lock(mutex_);
    return cancelled_;
}

bool StageMachine::is_forked_child() const { return current_pid() != pid_; }

void StageMachine::apply(const Command& command) {
    const std::lock_guard lock(mutex_);
    const bool is_final = cancelled_ || phase_ == Phase::releasing;
    const Stage stage = command.stage;
    if (phase_ == Phase::finishing || phase_ == Phase::released) return;
    if (is_final && rank_of(stage) < rank_of(cancelled_ ? Stage::cancel : Stage::drain)) return;
    if (stage != Stage::run && rank_of(stage) < rank_of(wanted_)) return;
    const bool needs_restart = stage == Stage::run && rank_of(wanted_) >= rank_of(Stage::pause);
    if ((stage == Stage::pause || needs_restart) && !callbacks_.can_pause()) return;  // it was not announced
    deadline_ = stage == Stage::run ? std::nullopt : instant(command.deadline_usec);
    answer_due_ = stage == Stage::run || (answer_due_ && stage == Stage::lame_duck);
    wanted_ = stage == Stage::cancel ? Stage::drain : stage;
    draining_.store(wanted_ == Stage::drain, std::memory_order_relaxed);
    if (stage == Stage::cancel) cancel();
    note_change();
}

StageMachine::GaveUp StageMachine::give_up() {
    DrainReport state;
    {
        const std::lock_guard lock(mutex_);
        if (is_released()) return GaveUp::too_late;
        is_unclean_ = true;
        state = describe(Clock::now());
    }
    log_error("the last deadline has passed; this is still held:", state);
    const std::lock_guard lock(mutex_);
    if (is_released()) return GaveUp::too_late;
    // Nobody can be told to end without wait(): what is still running may use what main() has begun to destroy.
    const bool nobody_waits = waiters_ == 0 && steps_ == Steps::own_thread;
    if (nobody_waits || policy_ == WorkerOptions::GiveUp::end_process) std::_Exit(unclean_exit_status);
    gave_up_ = true;
    note_change();
    return GaveUp::yes;
}

void StageMachine::shut_down() {
    {
        const std::lock_guard lock(mutex_);
        if (gave_up_ && !is_released()) std::_Exit(unclean_exit_status);
        shutting_down_ = true;
        on_change_ = nullptr;
        note_change();
    }
    runner_.stop();
    tasks_.request_stop();
    if (stage_thread_.joinable()) stage_thread_.join();
    if (cancel_thread_.joinable()) cancel_thread_.join();
    for (std::thread& closer : close_threads_) closer.join();
    tasks_.join_all();
    {
        Lock lock(mutex_);
        changed_.wait(lock, [this] { return waiters_ == 0; });
    }
    // The program's functions may own sessions, which own this object: breaks the reference cycle.
    const StageCallbacks callbacks = std::exchange(callbacks_, {});
    const ResourceGraph resources = std::exchange(resources_, {});
}

void StageMachine::note_change() {
    ++changes_;
    changed_.notify_all();
    if (on_change_) on_change_();
}

void StageMachine::open() {
    const std::lock_guard lock(mutex_);
    begin_serving();
}

// All callbacks are registered: it is known now what the program can do.
void StageMachine::begin_serving() {
    if (phase_ == Phase::starting) {
        tasks_.start_pending();
        phase_ = Phase::serving;
        if (callbacks_.can_pause()) pipe_.send(hello(Pausing::possible));
    }
    note_change();
}

void StageMachine::refuse_if_releasing(std::string_view what) const {
    if (phase_ != Phase::starting && phase_ != Phase::serving) refuse(what);
}

void StageMachine::refuse_in_child(std::string_view what) const {
    if (!is_forked_child()) return;
    throw std::logic_error("cannot " + std::string(what) +
                           ": this process is a forked child of the worker, not the worker; do it in the parent");
}

void StageMachine::refuse(std::string_view what) {
    throw std::logic_error("cannot " + std::string(what) +
                           ": the drain is over and resources are being closed; stop accepting in on_drain, and "
                           "hold a session for each connection that may still send a request");
}

}  // namespace holdfast
