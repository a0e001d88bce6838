#include "control_thread.hpp"

#include <signal.h>

#include <algorithm>
#include <cstdlib>
#include <stdexcept>
#include <system_error>
#include <utility>

#include "diagnostics.hpp"

namespace holdfast {

namespace {

// Common tools send two signals for one stop; a further signal within this time is ignored.
constexpr std::chrono::seconds repeated_signal_window{1};

// Time for main to return after wait() gave up. A destructor may be waiting for what is still held.
constexpr std::chrono::seconds exit_timeout{1};

// Lower bound for any value of the environment.
constexpr std::chrono::milliseconds min_watchdog_interval{1};

constexpr std::uint64_t wake_key = 1, control_key = 2, supervisor_key = 3;

std::int64_t usec_of(std::chrono::steady_clock::time_point instant) {
    return std::chrono::duration_cast<std::chrono::microseconds>(instant.time_since_epoch()).count();
}

template <class Time>
std::optional<Time> earlier(std::optional<Time> left, std::optional<Time> right) {
    if (!left || !right) return left ? left : right;
    return std::min(*left, *right);
}

}  // namespace

ControlThread::ControlThread(StageMachine& stage_machine, Process& process, ListenerShutdown& listener_shutdown,
                             StagePeriods periods, const std::string& health, std::chrono::microseconds watchdog)
    : stage_machine_(stage_machine),
      process_(process),
      listener_shutdown_(listener_shutdown),
      periods_(periods),
      is_supervised_(stage_machine.pipe().exists()),
      watchdog_(watchdog) {
    poller_.add(process_.wake_fd(), EPOLLIN, wake_key);
    if (is_supervised()) poller_.add(stage_machine_.pipe().fd(), EPOLLIN | EPOLLRDHUP, control_key);
    if (!health.empty()) health_.emplace(health, poller_, [this] { return stage_machine_.is_serving(); });
    if (!is_supervised() || watchdog_.count() == 0) return;
    next_watchdog_ = Clock::now();
    poller_.set_alarm(next_watchdog_);
}

ControlThread::~ControlThread() {
    thread_.request_stop();
    process_.wake();
    while (!thread_.joinable() && is_probed()) handle_events(Poller::Timeout::infinite);
}

bool ControlThread::is_probed() { return health_ && health_->is_closing(); }

void ControlThread::start_thread() {
    sigset_t all;
    sigset_t former;
    ::sigfillset(&all);
    ::pthread_sigmask(SIG_SETMASK, &all, &former);
    try {
        thread_ = std::jthread([this](const std::stop_token& stop) {
            Process::unblock_signals();  // all threads of the program may have them blocked
            while (!stop.stop_requested() || is_probed()) handle_events(Poller::Timeout::infinite);
        });
    } catch (...) {
        ::pthread_sigmask(SIG_SETMASK, &former, nullptr);
        throw;
    }
    ::pthread_sigmask(SIG_SETMASK, &former, nullptr);
}

void ControlThread::dispatch() {
    if (dispatching_.test_and_set()) {
        throw std::logic_error(
            "cannot dispatch(): it is already running, in a caller of this callback or on another thread; call it from "
            "the event loop only");
    }
    handle_events(Poller::Timeout::zero);
    dispatching_.clear();
}

void ControlThread::handle_events(Poller::Timeout timeout) {
    for (const epoll_event& event : poller_.wait(timeout)) {
        if (event.data.u64 == wake_key) process_.clear_wake();
        if (event.data.u64 == control_key) receive_commands();
        if (event.data.u64 == supervisor_key) handle_supervisor_end();
        if (health_ && event.data.u64 >= Health::first_key) health_->handle(event);
    }
    handle_signals();
    check_deadline();
    stage_machine_.advance();
    if (stage_machine_.is_finished()) process_.restore_signals();
    if (health_ && (!awaits_serving_ || stage_machine_.is_serving())) health_->accept_probes();
    send_watchdog();
    const auto next_check = shut_down_listeners();
    set_alarm(earlier(next_check, stage_machine_.send_due_report()));
}

void ControlThread::receive_commands() {
    // Checked before reading: everything that was sent before the end is then in the pipe.
    const bool is_lost = stage_machine_.pipe().is_lost();
    while (const auto command = stage_machine_.pipe().receive()) {
        if (command->stage == Stage::run) stop_requested_ = false;  // a new stop may be requested
        apply(*command);
    }
    if (!is_lost) return;
    poller_.remove(stage_machine_.pipe().fd());
    is_supervised_ = false;
    next_watchdog_.reset();
    // Without a supervisor no successor starts, so the lame duck is skipped. A worker that was cancelled gets no second
    // grace period.
    local_stage_ = stage_machine_.is_cancelled() ? LocalStage::grace : LocalStage::lame_duck;
    enter_next_local_stage();
}

// Probes: before it answers `run`, the worker listens again. After a `run` that came too late it does not.
void ControlThread::apply(const Command& command) {
    const bool has_successor = command.stage != Stage::run && command.reason && *command.reason != Reason::stop;
    awaits_serving_ = command.stage == Stage::run;
    if (health_ && has_successor) health_->leave();
    if (health_ && command.stage == Stage::run) health_->come_back();
    stage_machine_.apply(command);
    if (health_ && command.stage == Stage::run && stage_machine_.draining().load()) health_->leave();
}

// The end of the control pipe alone does not say that the supervisor no longer serves the listeners: it also closes the
// pipe of a worker that it has given up. Its process ends a moment later than its pipe.
ListenerShutdown::Handshakes ControlThread::refuse_new_clients() {
    const int supervisor_fd = stage_machine_.pipe().supervisor_fd();
    if (supervisor_fd < 0) return listener_shutdown_.begin();
    if (std::exchange(awaits_supervisor_end_, true)) return ListenerShutdown::Handshakes::none;
    try {
        poller_.add(supervisor_fd, EPOLLIN, supervisor_key);
    } catch (const std::system_error& failure) {
        log_error("cannot wait for the end of the supervisor, so new clients are not refused: " +
                  std::string(failure.what()));
    }
    return ListenerShutdown::Handshakes::pending;
}

void ControlThread::handle_supervisor_end() {
    poller_.remove(stage_machine_.pipe().supervisor_fd());
    listener_shutdown_.begin();
    if (local_stage_ == LocalStage::refusing) local_stage_end_ = Clock::now() + handshake_period;
}

std::optional<ControlThread::Clock::time_point> ControlThread::shut_down_listeners() {
    if (local_stage_ == LocalStage::cancel || local_stage_ == LocalStage::given_up) listener_shutdown_.shut_down_all();
    if (!stage_machine_.has_stopped_accepting()) return std::nullopt;  // that event wakes this thread
    return listener_shutdown_.shut_down_empty(Clock::now());
}

void ControlThread::handle_signals() {
    const bool is_asked = stage_machine_.take_stop_request();
    if ((process_.take_stop_signals() == 0 && !is_asked) || stage_machine_.is_finished()) return;
    if (is_supervised()) {
        if (stop_requested_) return;
        stop_requested_ = true;
        Report report;
        report.stopping = true;
        stage_machine_.pipe().send(report);
        return;
    }
    if (local_stage_ == LocalStage::serving) return begin_local_stop();
    if (Clock::now() - last_stage_change_ >= repeated_signal_window) enter_next_local_stage();
}

void ControlThread::check_deadline() {
    if (stage_machine_.is_finished() && local_stage_ != LocalStage::given_up) local_stage_end_.reset();
    if (local_stage_end_ && *local_stage_end_ <= Clock::now()) enter_next_local_stage();
}

void ControlThread::begin_local_stop() {
    local_stage_ = periods_.lame_duck.count() == 0 ? LocalStage::lame_duck : LocalStage::serving;
    enter_next_local_stage();
}

// Enters the next stage of a standalone worker.
void ControlThread::enter_next_local_stage() {
    const auto now = last_stage_change_ = Clock::now();
    awaits_serving_ = false;
    if (local_stage_ == LocalStage::serving) {
        local_stage_ = LocalStage::lame_duck;
        const auto end = now + periods_.lame_duck;
        return apply_local_stage(Stage::lame_duck, end, end + periods_.grace + periods_.cancel);
    }
    const bool is_handshake_pending = refuse_new_clients() == ListenerShutdown::Handshakes::pending;
    if (local_stage_ == LocalStage::lame_duck && is_handshake_pending) {
        local_stage_ = LocalStage::refusing;
        local_stage_end_ = now + handshake_period;
        return;
    }
    if (local_stage_ == LocalStage::lame_duck || local_stage_ == LocalStage::refusing) {
        local_stage_ = LocalStage::grace;
        const auto end = now + periods_.grace;
        return apply_local_stage(Stage::drain, end, end + periods_.cancel);
    }
    if (local_stage_ == LocalStage::grace) {
        local_stage_ = LocalStage::cancel;
        const DrainReport held = stage_machine_.report();
        const auto end = now + periods_.cancel;
        apply_local_stage(Stage::cancel, end, end);
        if (!held.waiting.empty()) log_error("the grace period is over; cancelling what is still held:", held);
        return;
    }
    if (local_stage_ == LocalStage::given_up) {
        log_error("the process has not exited one second after wait() gave up; ending it with status 3");
        std::_Exit(StageMachine::unclean_exit_status);
    }
    local_stage_end_.reset();
    if (stage_machine_.give_up() == StageMachine::GaveUp::too_late) return;
    local_stage_ = LocalStage::given_up;
    local_stage_end_ = now + exit_timeout;
}

void ControlThread::apply_local_stage(Stage stage, Clock::time_point end, Clock::time_point kill) {
    local_stage_end_ = end;
    stage_machine_.apply(
        {.stage = stage, .deadline_usec = usec_of(end), .kill_usec = usec_of(kill), .reason = Reason::stop});
}

// Sends two messages per watchdog period. With dispatch(), an event loop that hangs sends nothing; the control thread
// only proves that the process is alive.
void ControlThread::send_watchdog() {
    const auto now = Clock::now();
    if (!next_watchdog_ || now < *next_watchdog_) return;
    next_watchdog_ = now + std::max<Clock::duration>(watchdog_ / 2, min_watchdog_interval);
    Report report;
    report.watchdog = Watchdog::alive;
    stage_machine_.pipe().send(report, ControlPipe::Delivery::best_effort);
}

void ControlThread::set_alarm(std::optional<Clock::time_point> next) {
    auto alarm = earlier(earlier(next, local_stage_end_), next_watchdog_);
    if (health_) alarm = earlier(alarm, health_->close_expired(Clock::now()));
    poller_.set_alarm(alarm);
}

}  // namespace holdfast
