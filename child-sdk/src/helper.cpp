#include "helper.hpp"

#include <signal.h>

#include <algorithm>
#include <cstdlib>
#include <stdexcept>

#include "complaint.hpp"

namespace holdfast {

namespace {

// Ordinary tools deliver one wish as two signals; what comes within this time is the same wish.
constexpr std::chrono::seconds one_wish{1};

// For main to return after wait() gave up. What is held may be what a destructor waits for.
constexpr std::chrono::seconds time_to_end{1};

// Whatever the environment says.
constexpr std::chrono::milliseconds shortest_beat{1};

constexpr std::uint64_t wake_key = 1, control_key = 2;

std::int64_t usec_of(std::chrono::steady_clock::time_point instant) {
    return std::chrono::duration_cast<std::chrono::microseconds>(instant.time_since_epoch()).count();
}

template <class Time>
std::optional<Time> earlier(std::optional<Time> left, std::optional<Time> right) {
    if (!left || !right) return left ? left : right;
    return std::min(*left, *right);
}

}  // namespace

Helper::Helper(Conductor& conductor, Process& process, Patience patience, const std::string& health,
               std::chrono::microseconds watchdog)
    : conductor_(conductor),
      process_(process),
      patience_(patience),
      is_supervised_(conductor.pipe().exists()),
      watchdog_(watchdog) {
    poller_.add(process_.wake_fd(), EPOLLIN, wake_key);
    if (is_supervised()) poller_.add(conductor_.pipe().fd(), EPOLLIN | EPOLLRDHUP, control_key);
    if (!health.empty()) health_.emplace(health, poller_, [this] { return conductor_.is_serving(); });
    if (!is_supervised() || watchdog_.count() == 0) return;
    say_alive_at_ = Clock::now();
    poller_.set_alarm(say_alive_at_);
}

Helper::~Helper() {
    thread_.request_stop();
    process_.wake();
}

void Helper::start_thread() {
    sigset_t all;
    sigset_t former;
    ::sigfillset(&all);
    ::pthread_sigmask(SIG_SETMASK, &all, &former);
    try {
        thread_ = std::jthread([this](const std::stop_token& stop) {
            while (!stop.stop_requested()) handle(Poller::Patience::endless);
        });
    } catch (...) {
        ::pthread_sigmask(SIG_SETMASK, &former, nullptr);
        throw;
    }
    ::pthread_sigmask(SIG_SETMASK, &former, nullptr);
}

void Helper::turn() {
    if (turning_.test_and_set()) {
        throw std::logic_error(
            "cannot dispatch(): it is running, here below a callback or on another thread; call it from the event "
            "loop");
    }
    handle(Poller::Patience::none);
    turning_.clear();
}

void Helper::handle(Poller::Patience patience) {
    for (const epoll_event& event : poller_.wait(patience)) {
        if (event.data.u64 == wake_key) process_.clear_wake();
        if (event.data.u64 == control_key) hear();
        if (health_ && event.data.u64 >= Health::first_key) health_->handle(event);
    }
    heed_signals();
    keep_deadlines();
    conductor_.advance();
    say_alive();
    set_alarm(conductor_.attend());
}

void Helper::hear() {
    // Asked before reading: what was sent before the end is then in the pipe already.
    const bool is_lost = conductor_.pipe().is_lost();
    while (const auto command = conductor_.pipe().hear()) {
        if (command->stage == Stage::run) asked_to_stop_ = false;  // it may be asked for again
        conductor_.obey(*command);
    }
    if (!is_lost) return;
    poller_.remove(conductor_.pipe().fd());
    is_supervised_ = false;
    say_alive_at_.reset();
    // Nobody accepts in its place: no reason to be announced. And what was cancelled is not given its time again.
    rung_ = conductor_.is_cancelled() ? Rung::grace : Rung::lame_duck;
    climb();
}

void Helper::heed_signals() {
    if (process_.take_stop_signals() == 0 || conductor_.is_finished()) return;
    if (is_supervised()) {
        if (asked_to_stop_) return;
        asked_to_stop_ = true;
        Report report;
        report.stopping = true;
        conductor_.pipe().say(report);
        return;
    }
    if (rung_ == Rung::serving) return leave_alone();
    if (Clock::now() - last_step_ >= one_wish) climb();
}

void Helper::keep_deadlines() {
    if (conductor_.is_finished() && rung_ != Rung::given_up) rung_end_.reset();
    if (rung_end_ && *rung_end_ <= Clock::now()) climb();
}

void Helper::leave_alone() {
    rung_ = patience_.lame_duck.count() == 0 ? Rung::lame_duck : Rung::serving;
    climb();
}

// The ladder of a worker that stands alone.
void Helper::climb() {
    const auto now = last_step_ = Clock::now();
    if (rung_ == Rung::serving) {
        rung_ = Rung::lame_duck;
        const auto end = now + patience_.lame_duck;
        return obey_alone(Stage::lame_duck, end, end + patience_.grace + patience_.cancel);
    }
    if (rung_ == Rung::lame_duck) {
        rung_ = Rung::grace;
        const auto end = now + patience_.grace;
        return obey_alone(Stage::drain, end, end + patience_.cancel);
    }
    if (rung_ == Rung::grace) {
        rung_ = Rung::cancel;
        conductor_.complain_of_held("the grace period is over; asking what is still held to end now:");
        const auto end = now + patience_.cancel;
        return obey_alone(Stage::cancel, end, end);
    }
    if (rung_ == Rung::given_up) {
        complain("still here, a second after giving up: something waits for what is held; ending the process");
        std::_Exit(Conductor::left_something_status);
    }
    rung_end_.reset();
    if (conductor_.give_up() == Conductor::GaveUp::too_late) return;
    rung_ = Rung::given_up;
    rung_end_ = now + time_to_end;
}

void Helper::obey_alone(Stage stage, Clock::time_point end, Clock::time_point kill) {
    rung_end_ = end;
    conductor_.obey(
        {.stage = stage, .deadline_usec = usec_of(end), .kill_usec = usec_of(kill), .reason = Reason::stop});
}

// Twice in the time that may pass. By whoever drives: a loop that hangs in dispatch() mode says nothing, while a thread
// of ours speaks for the process alone.
void Helper::say_alive() {
    const auto now = Clock::now();
    if (!say_alive_at_ || now < *say_alive_at_) return;
    say_alive_at_ = now + std::max<Clock::duration>(watchdog_ / 2, shortest_beat);
    Report report;
    report.watchdog = Watchdog::alive;
    conductor_.pipe().say(report, ControlPipe::Weight::passing);
}

void Helper::set_alarm(std::optional<Clock::time_point> attention) {
    auto alarm = earlier(earlier(attention, rung_end_), say_alive_at_);
    if (health_) alarm = earlier(alarm, health_->tidy(Clock::now()));
    poller_.set_alarm(alarm);
}

}  // namespace holdfast
