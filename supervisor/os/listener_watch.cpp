#include "os/listener_watch.hpp"

#include <sys/epoll.h>

#include <array>
#include <cerrno>

#include "os/errno_error.hpp"

namespace holdfast::os {

Result<ListenerWatch> ListenerWatch::open() {
    UniqueFd epoll{::epoll_create1(EPOLL_CLOEXEC)};
    if (!epoll) return errno_error("watch listeners");
    return ListenerWatch(std::move(epoll));
}

Result<void> ListenerWatch::add(int listener_fd, std::uint64_t key) {
    epoll_event event{};
    // EPOLLHUP is always reported; a unix listener reports EPOLLRDHUP. One-shot, so that a listener that cannot be
    // revived does not keep the loop busy.
    event.events = EPOLLRDHUP | EPOLLONESHOT;
    event.data.u64 = key;
    int done = ::epoll_ctl(epoll_.get(), EPOLL_CTL_ADD, listener_fd, &event);
    if (done != 0 && errno == EEXIST) done = ::epoll_ctl(epoll_.get(), EPOLL_CTL_MOD, listener_fd, &event);
    if (done != 0) return errno_error("watch a listener");
    return {};
}

void ListenerWatch::remove(int listener_fd) { ::epoll_ctl(epoll_.get(), EPOLL_CTL_DEL, listener_fd, nullptr); }

std::vector<std::uint64_t> ListenerWatch::take() {
    std::vector<std::uint64_t> keys;
    std::array<epoll_event, 16> events{};
    int count = 0;
    do {
        count = ::epoll_wait(epoll_.get(), events.data(), static_cast<int>(events.size()), 0);
        for (int i = 0; i < count; ++i) {
            const std::uint64_t key = events[static_cast<std::size_t>(i)].data.u64;  // packed: no reference
            keys.push_back(key);
        }
    } while (count == static_cast<int>(events.size()));
    return keys;
}

}  // namespace holdfast::os
