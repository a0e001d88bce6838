#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <holdfast/message.hpp>
#include <memory>
#include <string_view>
#include <vector>

namespace holdfast {

class RequestRegistryCore;
class RequestSlot;

// Counts and names the requests in flight, at the cost of two atomic operations per request.
//
// One atomic word counts all requests, so that "there are none, and none may begin" is a single compare-and-swap. The
// name of a request is stored in a slot of 128 bytes from the pool of the thread that begins it. Only that thread takes
// slots from its pool, without an atomic operation; other threads return slots through a lock-free list. A thread that
// ends leaves its pool to the next new thread.
//
// Thread-safe. A request shares ownership of what it needs to end, so requests may outlive the RequestRegistry. Memory:
// per thread that ran at the same time, 128 bytes for the maximum number of requests in flight, allocated in blocks. It
// is freed with the last request and the last thread that began one (or when that thread begins a request of another
// RequestRegistry).
class RequestRegistry {
  public:
    using Clock = std::chrono::steady_clock;
    using Slot = RequestSlot;

    // `when_empty` is called, while watched, on the thread that ended the last request; it must not throw. A call is
    // not synchronised with watch(off) or the destructor: it may begin after them. The function must therefore keep
    // alive what it uses, or check it (std::weak_ptr). No lock is held during the call.
    explicit RequestRegistry(std::function<void()> when_empty);
    ~RequestRegistry();
    RequestRegistry(const RequestRegistry&) = delete;
    RequestRegistry& operator=(const RequestRegistry&) = delete;

    // Returns null if the registry is closed, and in a forked child, where nothing is counted. The name is truncated to
    // the protocol's limit.
    Slot* begin(std::string_view name);
    static void end(Slot* slot) noexcept;  // does nothing in a forked child

    enum class Watch { on, off };
    void watch(Watch watch);

    // Closes the registry if it is empty. A closed registry begins no requests.
    enum class Closed { yes, no };
    Closed close_if_empty();

    std::uint64_t held() const;
    std::uint64_t served() const;  // ended since the start

    // Adds the oldest requests, at most `most`. Requests that begin or end during the call may be missing, but an entry
    // is never inconsistent. Ages are accurate to the kernel's tick (1 to 10 ms).
    void describe(Clock::time_point now, std::size_t most, std::vector<Waiting>& report) const;

  private:
    const std::shared_ptr<RequestRegistryCore> core_;
};

}  // namespace holdfast
