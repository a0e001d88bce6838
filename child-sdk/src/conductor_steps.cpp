// How a conductor gets from where it is to where it is wanted.

#include <memory>
#include <system_error>
#include <utility>

#include "complaint.hpp"
#include "conductor.hpp"
#include "wire/wire.hpp"

namespace holdfast {

// Everybody is asked at once, whatever the drain is waiting for.
void Conductor::cancel() {
    if (std::exchange(cancelled_, true)) return;
    left_something_ = left_something_ || !describe(Clock::now()).waiting.empty();
    must_abandon_ = true;
    sessions_.give_up_on_all();
}

// What is still held is asked to end now. Hand-backs come first: they are what must not be lost.
void Conductor::abandon() {
    Lock lock(mutex_);
    put_back(items_.begin_hand_back_all(), lock);
    tell_sessions(lock);
    const auto deadline = deadline_;
    lock.unlock();
    tasks_.request_stop();
    callbacks_.run(Stage::cancel, deadline, runner_);
    lock.lock();
    abandoning_since_.reset();
    note_change();
}

Conductor::Start Conductor::start(std::thread& thread, std::string_view purpose, std::function<void()> body) const {
    try {
        thread = std::thread([this, body = std::move(body)] {
            ::pthread_sigmask(SIG_SETMASK, &mask_, nullptr);
            body();
        });
        return Start::started;
    } catch (const std::system_error& failure) {
        complain("cannot start a thread for " + std::string(purpose) + ": " + failure.what());
        return Start::failed;
    }
}

void Conductor::ensure_thread() {
    if (steps_ == Steps::advance || phase_ == Phase::starting) return;
    if (must_abandon_ && start(canceller_, "the cancel", [this] { abandon(); }) == Start::started) {
        must_abandon_ = false;
        abandoning_since_ = Clock::now();
    }
    if (!conductor_.joinable() && has_work()) start(conductor_, "the next stage", [this] { conduct(); });
}

void Conductor::conduct() {
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

void Conductor::advance() {
    Lock lock(mutex_);
    if (steps_ == Steps::own_thread) return;
    if (must_abandon_ && phase_ != Phase::starting) {
        must_abandon_ = false;
        abandoning_since_ = Clock::now();
        lock.unlock();
        abandon();
        lock.lock();
    }
    while (step(lock) == Stepped::yes) {
    }
}

std::optional<Conductor::Clock::time_point> Conductor::next_step_time() const {
    const auto overdue = reached_ == Stage::drain ? sessions_.next_overdue(Clock::now()) : std::nullopt;
    const auto hanging = closing_ ? resources_.next_deadline() : std::nullopt;
    if (!overdue || !hanging) return overdue ? overdue : hanging;
    return std::min(*overdue, *hanging);
}

bool Conductor::has_work() const { return must_reach() || reached_ == Stage::drain; }

bool Conductor::must_reach() const { return wanted_ != reached_ || answer_due_; }

Conductor::Stepped Conductor::step(Lock& lock) {
    if (phase_ == Phase::releasing) return release_some(lock);
    if (phase_ != Phase::serving) return Stepped::no;
    if (must_reach()) {
        reach(wanted_, lock);
        return Stepped::yes;
    }
    if (reached_ != Stage::drain || !may_release()) return Stepped::no;
    begin_release(lock);
    return Stepped::yes;
}

void Conductor::reach(Stage stage, Lock& lock) {
    if (stage != reached_) {
        const auto deadline = deadline_;
        calling_ = wire::name_of(stage);
        calling_since_ = Clock::now();
        lock.unlock();
        callbacks_.run(stage, deadline, runner_);
        lock.lock();
        calling_ = {};
        reached_ = stage;
        ledger_->watch(stage == Stage::drain ? Ledger::Watch::on : Ledger::Watch::off);
    }
    if (stage == Stage::run) answer_due_ = false;
    // A wish that changed meanwhile has its own answer, after its own callbacks.
    if (stage == Stage::lame_duck || wanted_ != stage) return;
    Report said = facts(Clock::now());
    said.accepting = stage == Stage::run;
    pipe_.say(said);
    if (stage == Stage::drain) tell_sessions(lock);
}

void Conductor::tell_sessions(Lock& lock) {
    auto stops = sessions_.tell(Clock::now());
    lock.unlock();
    if (!stops.empty()) {
        runner_.run("a session could not be told to leave", [&stops] {
            for (std::stop_source& stop : stops) stop.request_stop();
        });
    }
    lock.lock();
}

bool Conductor::may_release() {
    return !sessions_.holds_back(Clock::now()) && ledger_->close_if_empty() == Ledger::Closed::yes;
}

void Conductor::begin_release(Lock& lock) {
    phase_ = Phase::releasing;
    Report said = facts(Clock::now());
    said.releasing = true;
    pipe_.say(said);
    lock.unlock();
    tasks_.request_stop();
    lock.lock();
}

Conductor::Stepped Conductor::release_some(Lock& lock) {
    const auto before = tasks_.running().size();
    lock.unlock();
    tasks_.join_ended();
    lock.lock();
    if (tasks_.running().size() != before) say_state();
    name_overdue();
    if (!closing_ && close_next(lock) == Stepped::yes) return Stepped::yes;
    if (!holds_nothing()) return Stepped::no;
    finish_release(lock);
    return Stepped::yes;
}

// One at a time, unless one hangs: what closes beside what is nobody's surprise then.
Conductor::Stepped Conductor::close_next(Lock& lock) {
    // A task that empties its queue may be between two items; where none runs, none can be started from now on.
    const bool may_take_work = tasks_.close_if_empty() == Tasks::Closed::no;
    const ResourceGraph::Outside held{.requests = ledger_->held() > 0,
                                      .sessions = sessions_.count() > 0,
                                      .work = items_.count() > 0 || may_take_work,
                                      .tasks = tasks_.running()};
    const auto next = resources_.next(held);
    if (!next) return Stepped::no;
    const auto function = std::make_shared<std::function<void()>>(resources_.begin_close(*next, Clock::now()));
    closing_ = next;
    say_state();
    if (steps_ == Steps::own_thread) {
        std::thread closer;
        if (start(closer, "a close", [this, next, function] { close(*next, function); }) == Start::started) {
            closers_.push_back(std::move(closer));
            return Stepped::yes;
        }
    }
    lock.unlock();
    close(*next, function);
    lock.lock();
    return Stepped::yes;
}

void Conductor::close(ResourceGraph::Id resource, const Close& function) {
    Lock lock(mutex_);
    const std::string what = "cannot close " + resources_.name(resource);
    lock.unlock();
    const Call call = runner_.run(what, *function);
    *function = nullptr;  // what it owned may be the resource itself, or use others
    lock.lock();
    name_overdue();  // where nobody looked while it ran
    resources_.end_close(resource,
                         call == Call::threw ? ResourceGraph::Outcome::threw : ResourceGraph::Outcome::closed);
    left_something_ = left_something_ || call == Call::threw;
    if (closing_ == resource) closing_.reset();
    say_state();
    note_change();
}

void Conductor::name_overdue() {
    for (const ResourceGraph::Id resource : resources_.take_overdue(Clock::now())) {
        complain("closing " + resources_.name(resource) +
                 " takes longer than it may; going on with what does not use it");
        left_something_ = true;
        if (closing_ == resource) closing_.reset();
        say_state();
    }
}

bool Conductor::holds_nothing() {
    return !must_abandon_ && !abandoning_since_ && resources_.is_all_closed() && sessions_.count() == 0 &&
           items_.count() == 0 && tasks_.close_if_empty() == Tasks::Closed::yes;
}

void Conductor::finish_release(Lock& lock) {
    phase_ = Phase::finishing;
    const auto deadline = deadline_;
    calling_ = "released";
    calling_since_ = Clock::now();
    lock.unlock();
    callbacks_.run_released(deadline, runner_);
    lock.lock();
    calling_ = {};
    phase_ = Phase::released;
    Report said = facts(Clock::now());
    said.drained = true;
    pipe_.say(said);
    note_change();
}

}  // namespace holdfast
