#include "poller.hpp"

#include <sys/timerfd.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <system_error>
#include <tuple>

namespace holdfast {

namespace {

constexpr std::uint64_t timer_key = 0;

UniqueFd owned(int fd, const char* what) {
    if (fd < 0) throw std::system_error(errno, std::generic_category(), what);
    return UniqueFd(fd);
}

}  // namespace

Poller::Poller()
    : epoll_(owned(::epoll_create1(EPOLL_CLOEXEC), "cannot create an epoll descriptor")),
      timer_(owned(::timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC | TFD_NONBLOCK), "cannot create a timer")) {
    add(timer_.get(), EPOLLIN, timer_key);
}

void Poller::add(int fd, std::uint32_t events, std::uint64_t key) {
    epoll_event event{.events = events, .data = {.u64 = key}};
    if (::epoll_ctl(epoll_.get(), EPOLL_CTL_ADD, fd, &event) != 0) {
        throw std::system_error(errno, std::generic_category(), "cannot watch a descriptor");
    }
}

void Poller::change(int fd, std::uint32_t events, std::uint64_t key) {
    epoll_event event{.events = events, .data = {.u64 = key}};
    ::epoll_ctl(epoll_.get(), EPOLL_CTL_MOD, fd, &event);
}

void Poller::remove(int fd) { ::epoll_ctl(epoll_.get(), EPOLL_CTL_DEL, fd, nullptr); }

void Poller::set_alarm(std::optional<Clock::time_point> at) {
    if (at == alarm_) return;
    alarm_ = at;
    itimerspec time{};
    if (at) {
        // An all-zero time would disarm the timer. A time in the past fires at once.
        const auto since_boot = std::max(at->time_since_epoch(), Clock::duration{1});
        const auto whole = std::chrono::duration_cast<std::chrono::seconds>(since_boot);
        time.it_value.tv_sec = whole.count();
        time.it_value.tv_nsec = (since_boot - whole).count();
    }
    ::timerfd_settime(timer_.get(), TFD_TIMER_ABSTIME, &time, nullptr);
}

std::span<const epoll_event> Poller::wait(Timeout timeout) {
    const int count =
        ::epoll_wait(epoll_.get(), events_.data(), static_cast<int>(events_.size()), timeout == Timeout::zero ? 0 : -1);
    if (count <= 0) return {};
    const auto end = std::remove_if(events_.begin(), events_.begin() + count,
                                    [](const epoll_event& event) { return event.data.u64 == timer_key; });
    if (end != events_.begin() + count) {
        std::uint64_t ignored = 0;
        std::ignore = ::read(timer_.get(), &ignored, sizeof ignored);
        alarm_.reset();
    }
    return {events_.data(), static_cast<std::size_t>(end - events_.begin())};
}

}  // namespace holdfast
