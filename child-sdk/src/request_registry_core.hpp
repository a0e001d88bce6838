#pragma once

#include <unistd.h>

#include <atomic>
#include <cstdint>
#include <functional>
#include <list>
#include <memory>
#include <mutex>
#include <utility>
#include <vector>

#include "slot_pool.hpp"

namespace holdfast {

// What a RequestRegistry shares with its requests and with the threads that began some: the count, the pools and their
// slots.
class RequestRegistryCore : public std::enable_shared_from_this<RequestRegistryCore> {
  public:
    // The word: a count of requests, and flags below it.
    static constexpr std::uint64_t closed = 1;
    static constexpr std::uint64_t watched = 2;
    static constexpr std::uint64_t orphaned = 4;  // the RequestRegistry has gone: the last request frees this
    static constexpr std::uint64_t flags = 7;
    static constexpr std::uint64_t one = 8;

    explicit RequestRegistryCore(std::function<void()> when_empty) : when_empty_(std::move(when_empty)) {}

    // A pool that belongs to no thread, and its way back.
    SlotPool& acquire_pool();
    void release_pool(SlotPool& pool);

    // More slots for the caller's pool; one of them is the result.
    RequestSlot& grow(SlotPool& pool);

    // Once the RequestRegistry has gone; from then on nothing begins.
    void orphan();

    // What has to be done when the word became empty from `before`. The caller holds this object.
    void handle_empty(std::uint64_t before);

    // Whether a count that ends has to look at what it leaves.
    static bool must_handle_empty(std::uint64_t before) {
        return before / one == 1 && (before & (watched | orphaned)) != 0;
    }

    std::uint64_t served() const;
    const SlotBlock* blocks() const { return blocks_.load(std::memory_order_acquire); }

    alignas(64) std::atomic<std::uint64_t> word = 0;

  private:
    // Not on the line of the word, which every request writes.
    alignas(64) std::atomic<SlotBlock*> blocks_ = nullptr;
    const pid_t pid_ = ::getpid();
    mutable std::mutex pools_mutex_;
    std::list<SlotPool> pools_;
    std::vector<SlotPool*> idle_pools_;  // has room for all
    std::list<std::unique_ptr<SlotBlock>> owned_blocks_;
    const std::function<void()> when_empty_;
    std::shared_ptr<RequestRegistryCore> self_;  // while orphaned
};

}  // namespace holdfast
