#include "helper.hpp"

#include <poll.h>
#include <signal.h>

#include <algorithm>
#include <array>
#include <cerrno>

namespace holdfast {

namespace {

// Ordinary tools deliver one wish as two signals; what comes within this time is the same wish.
constexpr std::chrono::seconds one_wish{1};
constexpr std::chrono::seconds report_interval{1};

std::int64_t usec_of(std::chrono::steady_clock::time_point instant) {
    return std::chrono::duration_cast<std::chrono::microseconds>(instant.time_since_epoch()).count();
}

}  // namespace

Helper::Helper(Conductor& conductor, Process& process, Patience patience)
    : conductor_(conductor), process_(process), patience_(patience), is_supervised_(conductor.pipe().exists()) {
    sigset_t all;
    sigset_t former;
    ::sigfillset(&all);
    ::pthread_sigmask(SIG_SETMASK, &all, &former);
    thread_ = std::jthread([this](const std::stop_token& stop) { run(stop); });
    ::pthread_sigmask(SIG_SETMASK, &former, nullptr);
}

Helper::~Helper() {
    thread_.request_stop();
    process_.wake();
}

void Helper::run(const std::stop_token& stop) {
    auto attention = Conductor::Attention::at_rest;
    while (!stop.stop_requested()) {
        std::array<pollfd, 2> events{pollfd{process_.wake_fd(), POLLIN, 0},
                                     pollfd{is_supervised() ? conductor_.pipe().fd() : -1, POLLIN | POLLRDHUP, 0}};
        ::poll(events.data(), events.size(), timeout_ms(attention));
        if (events[0].revents != 0) process_.clear_wake();
        if (events[1].revents != 0) hear();
        heed_signals();
        keep_deadlines();
        attention = conductor_.attend();
    }
}

void Helper::hear() {
    // Asked before reading: what was sent before the end is then in the pipe already.
    const bool is_lost = conductor_.pipe().is_lost();
    while (const auto command = conductor_.pipe().hear()) conductor_.obey(*command);
    if (!is_lost) return;
    is_supervised_ = false;
    leave_alone();
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
    const auto now = Clock::now();
    if (grace_end_ && now - last_step_ < one_wish) return;
    if (!grace_end_) return leave_alone();
    if (!cancel_end_) return cancel_alone();
    conductor_.give_up();
}

void Helper::keep_deadlines() {
    const auto next = next_deadline();
    if (!next || Clock::now() < *next) return;
    if (cancel_end_) return conductor_.give_up();
    cancel_alone();
}

void Helper::leave_alone() {
    last_step_ = Clock::now();
    grace_end_ = last_step_ + patience_.grace;
    conductor_.obey({.stage = Stage::drain,
                     .deadline_usec = usec_of(*grace_end_),
                     .kill_usec = usec_of(*grace_end_ + patience_.cancel),
                     .reason = Reason::stop});
}

void Helper::cancel_alone() {
    last_step_ = Clock::now();
    cancel_end_ = last_step_ + patience_.cancel;
    conductor_.obey({.stage = Stage::cancel,
                     .deadline_usec = usec_of(*cancel_end_),
                     .kill_usec = usec_of(*cancel_end_),
                     .reason = Reason::stop});
}

std::optional<Helper::Clock::time_point> Helper::next_deadline() const {
    if (conductor_.is_finished()) return std::nullopt;
    return cancel_end_ ? cancel_end_ : grace_end_;
}

int Helper::timeout_ms(Conductor::Attention attention) const {
    auto wake = next_deadline();
    if (attention == Conductor::Attention::within_a_second) {
        const auto soon = Clock::now() + report_interval;
        wake = wake ? std::min(*wake, soon) : soon;
    }
    if (!wake) return -1;
    // Rounded up: a millisecond early would be a turn for nothing.
    const auto left = std::chrono::ceil<std::chrono::milliseconds>(*wake - Clock::now()).count();
    return static_cast<int>(std::clamp<std::int64_t>(left, 0, INT32_MAX));
}

}  // namespace holdfast
