#pragma once

#include <sys/epoll.h>

#include <array>
#include <chrono>
#include <cstdint>
#include <optional>
#include <span>

#include "unique_fd.hpp"

namespace holdfast {

// What the control thread waits for, as one descriptor that a foreign event loop can wait for, too: an epoll with a
// timer in it.
class Poller {
  public:
    using Clock = std::chrono::steady_clock;

    // Throws std::system_error.
    Poller();

    int fd() const { return epoll_.get(); }

    // `key` tells the descriptor apart; 0 is the timer's. Level-triggered.
    void add(int fd, std::uint32_t events, std::uint64_t key);
    void change(int fd, std::uint32_t events, std::uint64_t key);
    void remove(int fd);

    // Readable then, or never.
    void set_alarm(std::optional<Clock::time_point> at);

    // What is ready, at most as many as fit; the timer is quieted and left out.
    enum class Timeout { zero, infinite };
    std::span<const epoll_event> wait(Timeout timeout);

  private:
    UniqueFd epoll_;
    UniqueFd timer_;
    std::optional<Clock::time_point> alarm_;
    std::array<epoll_event, 32> events_{};
};

}  // namespace holdfast
