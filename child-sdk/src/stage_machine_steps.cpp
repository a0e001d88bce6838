// The steps that lead from the reached stage to the wanted one.

#include <memory>
#include <system_error>
#include <utility>

#include "diagnostics.hpp"
#include "stage_machine.hpp"
#include "wire/wire.hpp"

namespace holdfast {

// Records the cancel. Its actions run on their own thread, whatever the drain is waiting for.
void StageMachine::cancel() {
    if (std::exchange(cancelled_, true)) return;
    is_unclean_ = is_unclean_ || !describe(Clock::now()).waiting.empty();
    cancel_pending_ = true;
    sessions_.expire_all();
}

// Asks everything that is still held to end. Hand-backs come first, because items of work must not be lost.
// A hand-back that hangs delays only other hand-backs.
void StageMachine::run_cancel() {
    Lock lock(mutex_);
    const WorkItems::Due due = work_items_.begin_hand_back_all();
    std::thread hand_backs;
    const auto hand_back = [this, &due] {
        Lock own(mutex_);
        run_hand_backs(due, own);
    };
    const bool is_beside =
        steps_ == Steps::own_thread && !due.empty() && start(hand_backs, "handing back", hand_back) == Start::started;
    if (!is_beside) run_hand_backs(due, lock);
    notify_sessions(lock);
    const auto deadline = deadline_;
    lock.unlock();
    tasks_.request_stop();
    callbacks_.run(Stage::cancel, deadline, runner_);
    lock.lock();
    cancel_running_since_.reset();
    note_change();
    lock.unlock();
    if (is_beside) hand_backs.join();
}

StageMachine::Start StageMachine::start(std::thread& thread, std::string_view purpose, std::function<void()> body) {
    try {
        thread = std::thread([this, body = std::move(body)] {
            ::pthread_sigmask(SIG_SETMASK, &signal_mask_, nullptr);
            body();
        });
        return Start::started;
    } catch (const std::system_error& failure) {
        unsaid_.push_back("cannot start a thread for " + std::string(purpose) + ": " + failure.what());
        return Start::failed;
    }
}

void StageMachine::ensure_thread() {
    if (steps_ == Steps::advance || phase_ == Phase::starting) return;
    if (cancel_pending_ && start(cancel_thread_, "the cancel", [this] { run_cancel(); }) == Start::started) {
        cancel_pending_ = false;
        cancel_running_since_ = Clock::now();
    }
    if (!stage_thread_.joinable() && has_work()) start(stage_thread_, "the next stage", [this] { run_steps(); });
}

void StageMachine::run_steps() {
    Lock lock(mutex_);
    while (!shutting_down_ && !is_released()) {
        const auto seen = changes_;
        if (step(lock) == Stepped::yes) continue;
        const auto is_changed = [&] { return changes_ != seen || shutting_down_; };
        if (const auto next = next_step_time()) {
            changed_.wait_until(lock, *next, is_changed);
        } else {
            changed_.wait(lock, is_changed);
        }
    }
}

void StageMachine::advance() {
    Lock lock(mutex_);
    if (steps_ == Steps::own_thread) return;
    if (cancel_pending_ && phase_ != Phase::starting) {
        cancel_pending_ = false;
        cancel_running_since_ = Clock::now();
        lock.unlock();
        run_cancel();
        lock.lock();
    }
    while (step(lock) == Stepped::yes) {
    }
}

std::optional<StageMachine::Clock::time_point> StageMachine::next_step_time() const {
    const auto overdue = reached_ == Stage::drain ? sessions_.next_overdue(Clock::now()) : std::nullopt;
    const auto hanging = closing_ ? resources_.next_deadline() : std::nullopt;
    if (!overdue || !hanging) return overdue ? overdue : hanging;
    return std::min(*overdue, *hanging);
}

bool StageMachine::has_work() const { return must_enter_stage() || reached_ == Stage::drain; }

bool StageMachine::must_enter_stage() const { return wanted_ != reached_ || answer_due_; }

bool StageMachine::has_stopped_accepting() const {
    const std::lock_guard lock(mutex_);
    return reached_ == Stage::drain;
}

StageMachine::Stepped StageMachine::step(Lock& lock) {
    if (phase_ == Phase::releasing) return release_some(lock);
    if (phase_ != Phase::serving) return Stepped::no;
    if (must_enter_stage()) {
        // The lame duck accepts, so a pause that `run` took back just before is undone first.
        enter_stage(answer_due_ ? Stage::run : wanted_, lock);
        return Stepped::yes;
    }
    if (reached_ != Stage::drain || !may_release()) return Stepped::no;
    begin_release(lock);
    return Stepped::yes;
}

void StageMachine::enter_stage(Stage stage, Lock& lock) {
    if (stage != reached_) {
        const auto deadline = deadline_;
        calling_ = wire::name_of(stage);
        calling_since_ = Clock::now();
        lock.unlock();
        const Call call = callbacks_.run(stage, deadline, runner_);
        lock.lock();
        calling_ = {};
        call_failed_ = call == Call::threw;
        reached_ = stage;
        if (stage == Stage::drain) drain_since_ = Clock::now();
        note_change();  // the control thread may have waited for the stage
        request_registry_->watch(stage == Stage::drain ? RequestRegistry::Watch::on : RequestRegistry::Watch::off);
    }
    if (stage == Stage::run) answer_due_ = false;
    // If the wanted stage changed meanwhile, that stage sends its own answer after its callbacks; lame duck has none.
    if (wanted_ != stage && !(stage == Stage::run && wanted_ == Stage::lame_duck)) return;
    if (may_answer(stage)) {
        Report report = make_report(Clock::now());
        report.accepting = stage == Stage::run;
        pipe_.send(report);
    }
    if (stage == Stage::drain) notify_sessions(lock);
}

// An answer says that the worker has stopped or started to accept, so it is sent only if that is true.
bool StageMachine::may_answer(Stage stage) const {
    if (stage == Stage::lame_duck || call_failed_) return false;
    return stage != Stage::drain || callbacks_.can_stop_accepting();
}

void StageMachine::notify_sessions(Lock& lock) {
    auto stops = sessions_.mark_notified(Clock::now());
    lock.unlock();
    if (!stops.empty()) {
        runner_.run("cannot ask a session to leave", [&stops] {
            for (std::stop_source& stop : stops) stop.request_stop();
        });
    }
    lock.lock();
}

bool StageMachine::may_release() {
    if (sessions_.blocks_drain(Clock::now())) return false;
    if (refuse_new() == Tasks::Closed::yes) return true;
    return !tasks_.running().empty() && only_tasks_begin_requests();
}

// The requests of a running task do not delay the release, because it must be asked to stop before they can end.
// Without sessions and accepted clients, what began during the drain was begun by a task.
bool StageMachine::only_tasks_begin_requests() const {
    const auto now = Clock::now();
    std::vector<Waiting> oldest;
    request_registry_->describe(now, 1, oldest);
    if (oldest.empty()) return request_registry_->held() == 0;
    return std::chrono::microseconds(oldest.front().age_usec) < now - drain_since_;
}

// Once no task and no request is left, none may begin any more. A request may start a task, and a task may begin a
// request, so both are closed in one step.
Tasks::Closed StageMachine::refuse_new() {
    return tasks_.close_if_empty(
        [this] { return request_registry_->close_if_empty() == RequestRegistry::Closed::yes; });
}

void StageMachine::begin_release(Lock& lock) {
    phase_ = Phase::releasing;
    Report report = make_report(Clock::now());
    report.releasing = true;
    pipe_.send(report);
    lock.unlock();
    tasks_.request_stop();
    lock.lock();
}

StageMachine::Stepped StageMachine::release_some(Lock& lock) {
    const auto before = tasks_.running().size();
    lock.unlock();
    tasks_.join_ended();
    lock.lock();
    if (tasks_.running().size() != before) send_state();
    note_overdue_closes();
    log_unsaid(lock);
    if (!closing_ && close_next(lock) == Stepped::yes) return Stepped::yes;
    if (!holds_nothing()) return Stepped::no;
    finish_release(lock);
    return Stepped::yes;
}

// Closes one resource at a time, unless a close hangs, so that closes never run concurrently without need.
StageMachine::Stepped StageMachine::close_next(Lock& lock) {
    // A running task may be about to begin a request, or to take an item from its queue; a request, to start a task.
    const bool may_begin = refuse_new() == Tasks::Closed::no;
    const ResourceGraph::ExternalUsers held{.requests = may_begin,
                                            .sessions = sessions_.count() > 0,
                                            .work = work_items_.count() > 0 || may_begin,
                                            .tasks = tasks_.running(),
                                            .new_tasks = may_begin};
    const auto next = resources_.next(held);
    if (!next) return Stepped::no;
    const auto function = std::make_shared<std::function<void()>>(resources_.begin_close(*next, Clock::now()));
    closing_ = next;
    send_state();
    if (steps_ == Steps::own_thread) {
        std::thread closer;
        if (start(closer, "a close", [this, next, function] { close(*next, function); }) == Start::started) {
            close_threads_.push_back(std::move(closer));
            return Stepped::yes;
        }
    }
    lock.unlock();
    close(*next, function);
    lock.lock();
    return Stepped::yes;
}

void StageMachine::close(ResourceGraph::Id resource, const Close& function) {
    Lock lock(mutex_);
    const std::string what = "cannot close " + resources_.name(resource);
    lock.unlock();
    const Call call = runner_.run(what, *function);
    *function = nullptr;  // the objects that it owns may be the resource itself, or use others
    lock.lock();
    note_overdue_closes();  // with advance(), nothing checked while it ran
    log_unsaid(lock);
    resources_.end_close(resource,
                         call == Call::threw ? ResourceGraph::Outcome::threw : ResourceGraph::Outcome::closed);
    is_unclean_ = is_unclean_ || call == Call::threw;
    if (closing_ == resource) closing_.reset();
    send_state();
    note_change();
}

void StageMachine::note_overdue_closes() {
    for (const ResourceGraph::Id resource : resources_.take_overdue(Clock::now())) {
        unsaid_.push_back("closing " + resources_.name(resource) +
                          " has exceeded its timeout; continuing with resources that do not depend on it");
        is_unclean_ = true;
        if (closing_ == resource) closing_.reset();
        send_state();
    }
}

void StageMachine::log_unsaid(Lock& lock) {
    const std::vector<std::string> texts = std::exchange(unsaid_, {});
    if (texts.empty()) return;
    lock.unlock();
    for (const std::string& text : texts) log_error(text);
    lock.lock();
}

bool StageMachine::holds_nothing() {
    return !cancel_pending_ && !cancel_running_since_ && resources_.is_all_closed() && sessions_.count() == 0 &&
           work_items_.count() == 0 && refuse_new() == Tasks::Closed::yes;
}

void StageMachine::finish_release(Lock& lock) {
    phase_ = Phase::finishing;
    const auto deadline = deadline_;
    calling_ = "released";
    calling_since_ = Clock::now();
    lock.unlock();
    callbacks_.run_released(deadline, runner_);
    lock.lock();
    calling_ = {};
    phase_ = Phase::released;
    Report report = make_report(Clock::now());
    report.drained = true;
    pipe_.send(report);
    note_change();
}

}  // namespace holdfast
