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

// Counts and names the requests in flight, at the price of two atomic operations for each.
//
// One word counts them all, so that "there are none, and none may begin" is one compare-and-swap. What names a request
// is a slot of 128 bytes, taken from a pool of the thread that begins it: no other thread takes from that pool, so
// taking costs no atomic operation; a slot that another thread gives back comes by way of a list that all may push to.
// A thread that ends leaves its pool to the next one.
//
// Any thread may call anything. What a request needs to end is shared with it: requests may outlive the
// RequestRegistry. Memory: 128 bytes for each request that ever was in flight at one time, in steps, for each thread
// that ever ran at one time; it is freed with the last request, and with the last thread that began one (or when that
// thread begins one of another RequestRegistry).
class RequestRegistry {
  public:
    using Clock = std::chrono::steady_clock;
    using Slot = RequestSlot;

    // `when_empty` is called, while watched, by the thread that ended the last request; it must not throw. Nobody waits
    // for a call that is about to begin: it may come late, after watch(off) and even after the RequestRegistry has
    // gone. So it should keep what it needs alive, or ask whether that is (a std::weak_ptr). No lock is held meanwhile.
    explicit RequestRegistry(std::function<void()> when_empty);
    ~RequestRegistry();
    RequestRegistry(const RequestRegistry&) = delete;
    RequestRegistry& operator=(const RequestRegistry&) = delete;

    // Null when it is closed. The name is cut as the protocol wants it.
    Slot* begin(std::string_view name);
    static void end(Slot* slot) noexcept;

    enum class Watch { on, off };
    void watch(Watch watch);

    // Whether it is closed now. From then on nothing begins.
    enum class Closed { yes, no };
    Closed close_if_empty();

    std::uint64_t held() const;
    std::uint64_t served() const;  // ended since the start

    // The oldest ones, `most` at most. Requests that begin and end meanwhile may be missed; none is shown half. Ages
    // are as exact as the kernel's tick (1 to 10 ms).
    void describe(Clock::time_point now, std::size_t most, std::vector<Waiting>& report) const;

  private:
    const std::shared_ptr<RequestRegistryCore> core_;
};

}  // namespace holdfast
