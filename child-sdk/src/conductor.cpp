#include "conductor.hpp"

#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <stdexcept>
#include <system_error>
#include <utility>

#include "complaint.hpp"
#include "process.hpp"
#include "wire/wire.hpp"

namespace holdfast {

namespace {

constexpr int left_something_status = 3;  // as the supervisor ends when it had to kill

std::size_t index_of(Stage stage) { return static_cast<std::size_t>(stage); }

// How far a stage leads away from serving.
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

std::optional<Conductor::Clock::time_point> instant(std::optional<std::int64_t> usec) {
    if (!usec) return std::nullopt;
    // The clock counts nanoseconds: what it cannot hold is later than anybody waits.
    constexpr std::int64_t latest = INT64_MAX / 1000;
    return Conductor::Clock::time_point(std::chrono::microseconds(std::min(*usec, latest)));
}

}  // namespace

Conductor::Conductor(UniqueFd control) : pipe_(std::move(control)), pid_(present_process()) {
    ::pthread_sigmask(SIG_SETMASK, nullptr, &mask_);
}

void Conductor::add_callback(Stage stage, Callback callback) {
    const std::lock_guard lock(mutex_);
    if (phase_ != Phase::starting) {
        throw std::logic_error("cannot add a callback for " + std::string(wire::name_of(stage)) +
                               ": its stage may have begun; add callbacks before ready() and wait()");
    }
    callbacks_[index_of(stage)].push_back(std::move(callback));
}

void Conductor::start_task(std::string name, std::function<void(std::stop_token)> task) {
    const std::string what = "start the task " + name;
    if (tasks_.start(std::move(name), std::move(task)) == Tasks::Start::refused) refuse(what);
}

void Conductor::close_last(std::string name, Callback close) {
    const std::lock_guard lock(mutex_);
    refuse_if_releasing("take charge of " + name);
    resources_.add(std::move(name), std::move(close));
}

Held Conductor::begin(HeldThings::Kind kind, std::string_view name) {
    if (is_forked_child()) return {};
    const auto now = Clock::now();
    const std::lock_guard lock(mutex_);
    refuse_if_releasing("begin " + std::string(name));
    return {shared_from_this(), held_.add(kind, name, now)};
}

void Conductor::end(void* entry) {
    if (is_forked_child()) return;  // the mutex may have been another thread's at the fork
    const std::lock_guard lock(mutex_);
    held_.remove(static_cast<HeldThings::Entry*>(entry));
    if (wanted_ == Stage::drain && held_.is_empty()) changed_.notify_all();
}

void Conductor::ready() {
    const std::lock_guard lock(mutex_);
    if (std::exchange(is_ready_, true)) throw std::logic_error("ready() was called before: once is enough");
    open();
    Report said = report();
    said.ready = true;
    if (rank_of(wanted_) < rank_of(Stage::pause)) said.accepting = true;
    pipe_.say(said);
}

int Conductor::wait() {
    Lock lock(mutex_);
    if (conductor_.get_id() == std::this_thread::get_id() || canceller_.get_id() == std::this_thread::get_id()) {
        throw std::logic_error("cannot wait() in a callback: it would wait for itself; call it in main");
    }
    open();
    ++waiters_;
    changed_.wait(lock, [this] { return phase_ == Phase::released || gave_up_; });
    --waiters_;
    return gave_up_ || left_something_ ? left_something_status : 0;
}

std::optional<Conductor::Clock::time_point> Conductor::deadline() const {
    const std::lock_guard lock(mutex_);
    return deadline_;
}

bool Conductor::is_finished() const {
    const std::lock_guard lock(mutex_);
    return phase_ == Phase::released || gave_up_;
}

void Conductor::obey(const Command& command) {
    Lock lock(mutex_);
    const bool is_final = cancelled_ || phase_ == Phase::releasing;
    const Stage stage = command.stage;
    if (phase_ == Phase::released) return;
    if (is_final && rank_of(stage) < rank_of(cancelled_ ? Stage::cancel : Stage::drain)) return;
    if (stage != Stage::run && rank_of(stage) < rank_of(wanted_)) return;
    deadline_ = stage == Stage::run ? std::nullopt : instant(command.deadline_usec);
    answer_due_ = stage == Stage::run;
    wanted_ = stage == Stage::cancel ? Stage::drain : stage;
    draining_.store(wanted_ == Stage::drain, std::memory_order_relaxed);
    if (stage == Stage::cancel) cancel(lock);
    changed_.notify_all();
}

Conductor::Attention Conductor::attend() {
    const std::lock_guard lock(mutex_);
    ensure_thread();
    if (has_work() && !conductor_.joinable()) return Attention::within_a_second;
    if (phase_ == Phase::released || wanted_ != Stage::drain) return Attention::at_rest;
    pipe_.say(report(), ControlPipe::Weight::passing);
    return Attention::within_a_second;
}

void Conductor::give_up() {
    const std::lock_guard lock(mutex_);
    if (phase_ == Phase::released || gave_up_) return;
    complain_of("the last deadline has passed; still held:", *report().waiting);
    if (waiters_ == 0) std::_Exit(left_something_status);
    gave_up_ = true;
    changed_.notify_all();
}

void Conductor::shut_down() {
    {
        const std::lock_guard lock(mutex_);
        if (gave_up_ && phase_ != Phase::released) std::_Exit(left_something_status);
        shutting_down_ = true;
        changed_.notify_all();
    }
    tasks_.request_stop();
    if (conductor_.joinable()) conductor_.join();
    if (canceller_.joinable()) canceller_.join();
    tasks_.join_all();
}

void Conductor::open() {
    if (phase_ == Phase::starting) phase_ = Phase::serving;
    changed_.notify_all();
}

// Everybody is asked at once, whatever the drain is waiting for.
void Conductor::cancel(Lock& lock) {
    if (std::exchange(cancelled_, true)) return;
    left_something_ = left_something_ || !report().waiting->empty();
    try {
        canceller_ = std::thread([this] {
            ::pthread_sigmask(SIG_SETMASK, &mask_, nullptr);
            Lock opened(mutex_);
            changed_.wait(opened, [this] { return shutting_down_ || phase_ != Phase::starting; });
            if (shutting_down_) return;
            opened.unlock();
            run_callbacks(Stage::cancel);
        });
    } catch (const std::system_error& failure) {
        complain(std::string("cannot start a thread for the callbacks of the cancel: ") + failure.what());
    }
    lock.unlock();
    tasks_.request_stop();  // runs stop callbacks of the program
    lock.lock();
}

void Conductor::ensure_thread() {
    if (conductor_.joinable() || !has_work()) return;
    try {
        conductor_ = std::thread([this] {
            ::pthread_sigmask(SIG_SETMASK, &mask_, nullptr);
            conduct();
        });
    } catch (const std::system_error& failure) {
        complain(std::string("cannot start a thread for the next stage, trying again: ") + failure.what());
    }
}

void Conductor::conduct() {
    Lock lock(mutex_);
    while (!shutting_down_ && phase_ != Phase::released) {
        changed_.wait(lock, [this] { return shutting_down_ || (phase_ == Phase::serving && has_work()); });
        if (shutting_down_) return;
        if (wanted_ != reached_ || answer_due_) {
            reach(wanted_, lock);
        } else {
            release(lock);
        }
    }
}

bool Conductor::has_work() const {
    return wanted_ != reached_ || answer_due_ || (reached_ == Stage::drain && held_.is_empty());
}

void Conductor::reach(Stage stage, Lock& lock) {
    if (stage != reached_) {
        lock.unlock();
        run_callbacks(stage);
        lock.lock();
        reached_ = stage;
    }
    if (stage == Stage::run) answer_due_ = false;
    // A wish that changed meanwhile has its own answer, after its own callbacks.
    if (stage == Stage::lame_duck || wanted_ != stage) return;
    Report said = report();
    said.accepting = stage == Stage::run;
    pipe_.say(said);
}

void Conductor::release(Lock& lock) {
    phase_ = Phase::releasing;
    Report said = report();
    said.releasing = true;
    pipe_.say(said);
    lock.unlock();
    tasks_.request_stop();
    tasks_.join_all();
    lock.lock();
    pipe_.say(report(), ControlPipe::Weight::passing);
    lock.unlock();
    const Resources::Outcome outcome = resources_.close_all();
    lock.lock();
    left_something_ = left_something_ || outcome == Resources::Outcome::failed;
    phase_ = Phase::released;
    said = report();
    said.drained = true;
    pipe_.say(said);
    changed_.notify_all();
}

void Conductor::run_callbacks(Stage stage) {
    for (const Callback& callback : callbacks_[index_of(stage)]) {
        call_or_complain("a callback for " + std::string(wire::name_of(stage)) + " failed", callback);
    }
}

void Conductor::refuse_if_releasing(std::string_view what) const {
    if (phase_ == Phase::releasing || phase_ == Phase::released) refuse(what);
}

void Conductor::refuse(std::string_view what) {
    throw std::logic_error("cannot " + std::string(what) +
                           ": the drain is over and resources are being closed; accept nothing after on_drain, and "
                           "hold a session for a connection that may still ask");
}

bool Conductor::is_forked_child() const { return present_process() != pid_; }

Report Conductor::report() const {
    const auto now = Clock::now();
    Report report;
    report.in_flight = held_.requests();
    report.served = held_.served();
    report.waiting.emplace();
    held_.describe(now, *report.waiting);
    tasks_.describe(now, *report.waiting);
    resources_.describe(now, *report.waiting);
    return report;
}

}  // namespace holdfast
