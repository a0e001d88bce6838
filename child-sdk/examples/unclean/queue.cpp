#include "queue.hpp"

#include <sys/timerfd.h>
#include <unistd.h>

#include <cerrno>
#include <cstdint>
#include <system_error>

namespace {

constexpr int accepted = 10;
constexpr long answer_takes_ns = 500'000'000;

// Paces the responses.
class Ticker {
  public:
    Ticker() : fd_(::timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC)) {
        const timespec interval{.tv_sec = 0, .tv_nsec = answer_takes_ns};
        const itimerspec timer{.it_interval = interval, .it_value = interval};
        if (fd_ < 0 || ::timerfd_settime(fd_, 0, &timer, nullptr) != 0) {
            throw std::system_error(errno, std::generic_category(), "cannot create a timer");
        }
    }
    ~Ticker() { ::close(fd_); }
    Ticker(const Ticker&) = delete;
    Ticker& operator=(const Ticker&) = delete;

    void wait() const {
        std::uint64_t ticks = 0;
        while (::read(fd_, &ticks, sizeof ticks) < 0 && errno == EINTR) continue;
    }

  private:
    int fd_;
};

}  // namespace

Queue::Queue(holdfast::Worker& worker, Length length) : worker_(worker) {
    for (int i = 0; i < accepted; ++i) requests_.push_back(worker.begin_request("POST /queue"));
    thread_ = std::thread([this, length] { answer_all(length); });
}

Queue::~Queue() { thread_.join(); }

// Requests are answered only during the drain, so that all are in the queue when it begins.
void Queue::answer_all(Length length) {
    const Ticker ticker;
    while (!requests_.empty()) {
        ticker.wait();
        if (!worker_.draining()) continue;
        requests_.pop_back();
        if (length == Length::endless) requests_.push_back(worker_.begin_request("POST /queue"));
    }
}
