#pragma once

#include <sys/epoll.h>

#include <array>
#include <chrono>
#include <cstdint>
#include <optional>
#include <span>

#include "unique_fd.hpp"

namespace holdfast {

// Waits for file descriptors and one timer by epoll. Its own descriptor is readable when one of them is ready, so that
// a foreign event loop can wait for it.
class Poller {
  public:
    using Clock = std::chrono::steady_clock;

    // Throws std::system_error.
    Poller();

    int fd() const { return epoll_.get(); }

    // `key` identifies the descriptor in the events; 0 is reserved for the timer. Level-triggered.
    void add(int fd, std::uint32_t events, std::uint64_t key);
    void change(int fd, std::uint32_t events, std::uint64_t key);
    void remove(int fd);

    // Sets when the timer fires; nothing: never.
    void set_alarm(std::optional<Clock::time_point> at);

    // Returns the descriptors that are ready, as many as fit. Resets the timer and omits it.
    enum class Timeout { zero, infinite };
    std::span<const epoll_event> wait(Timeout timeout);

  private:
    UniqueFd epoll_;
    UniqueFd timer_;
    std::optional<Clock::time_point> alarm_;
    std::array<epoll_event, 32> events_{};
};

}  // namespace holdfast
