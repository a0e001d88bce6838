#pragma once

#include <cstdint>
#include <vector>

#include "base/result.hpp"
#include "os/unique_fd.hpp"

namespace holdfast::os {

// Tells when a listener was shut down, by a worker or its library, and is silent otherwise: connections that arrive
// wake nobody here. An epoll of its own, because Asio's would wake for every connection: hand `fd()` to the event loop
// (readable: call `take`). One thread.
class ListenerWatch {
  public:
    static Result<ListenerWatch> open();

    int fd() const { return epoll_.get(); }

    // Watches `listener_fd` under `key`; each is reported once, until `add` is called for it again after its revival.
    // Removing must come before the descriptor is closed: workers keep the description alive, and with it the watch.
    Result<void> add(int listener_fd, std::uint64_t key);
    void remove(int listener_fd);

    // The keys of the listeners that were shut down since they were added.
    std::vector<std::uint64_t> take();

  private:
    explicit ListenerWatch(UniqueFd epoll) : epoll_(std::move(epoll)) {}
    UniqueFd epoll_;
};

}  // namespace holdfast::os
