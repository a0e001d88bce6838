#include "os/wait_for.hpp"

#include <poll.h>
#include <sys/timerfd.h>

#include <vector>

#include "os/unique_fd.hpp"

namespace holdfast::os {

void wait_until_readable(std::span<const int> fds, Instant deadline) {
    // Uses a timer, because the code here must not read the clock.
    const UniqueFd timer(::timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC));
    itimerspec setting{};
    const auto usec = to_usec(deadline);
    setting.it_value.tv_sec = usec / 1'000'000;
    setting.it_value.tv_nsec = usec % 1'000'000 * 1000 + 1;
    ::timerfd_settime(timer.get(), TFD_TIMER_ABSTIME, &setting, nullptr);
    std::vector<pollfd> waiting{{timer.get(), POLLIN, 0}};
    for (const int fd : fds) waiting.push_back({fd, POLLIN, 0});
    ::poll(waiting.data(), waiting.size(), -1);
}

}  // namespace holdfast::os
