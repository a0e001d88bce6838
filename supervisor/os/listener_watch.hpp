#pragma once

#include <cstdint>
#include <vector>

#include "base/result.hpp"
#include "os/unique_fd.hpp"

namespace holdfast::os {

// Reports listeners that a worker or its library has shut down. New connections cause no wake-up. It uses its own epoll
// instance, because Asio's would wake up for every connection. Watch `fd()` in the event loop and call `take` when it
// is readable. Not thread-safe.
class ListenerWatch {
  public:
    static Result<ListenerWatch> open();

    int fd() const { return epoll_.get(); }

    // Watches `listener_fd` under `key`. Each shutdown is reported once; call `add` again after the listener was
    // revived. Call `remove` before the descriptor is closed: workers keep the open file description alive, and with it
    // the epoll entry.
    Result<void> add(int listener_fd, std::uint64_t key);
    void remove(int listener_fd);

    // The keys of the listeners that were shut down since the last call.
    std::vector<std::uint64_t> take();

  private:
    explicit ListenerWatch(UniqueFd epoll) : epoll_(std::move(epoll)) {}
    UniqueFd epoll_;
};

}  // namespace holdfast::os
