#pragma once

#include <sys/types.h>

#include <atomic>
#include <cstdint>
#include <functional>
#include <list>
#include <memory>
#include <mutex>
#include <utility>
#include <vector>

#include "process.hpp"
#include "slot_pool.hpp"

namespace holdfast {

// The part of a RequestRegistry that its requests, and the threads that began them, share: the count, the pools and
// their slots.
class RequestRegistryCore : public std::enable_shared_from_this<RequestRegistryCore> {
  public:
    // The word holds the count of requests, with flags in its low bits.
    static constexpr std::uint64_t closed = 1;
    static constexpr std::uint64_t watched = 2;
    static constexpr std::uint64_t orphaned =
        4;  // the RequestRegistry was destroyed: the last request frees this object
    static constexpr std::uint64_t flags = 7;
    static constexpr std::uint64_t one = 8;

    explicit RequestRegistryCore(std::function<void()> when_empty) : when_empty_(std::move(when_empty)) {}

    // Acquires a pool that no thread uses, and releases one.
    SlotPool& acquire_pool();
    void release_pool(SlotPool& pool);

    // Adds slots to the caller's pool, and returns one of them.
    RequestSlot& grow(SlotPool& pool);

    // Called when the RequestRegistry is destroyed. No request begins afterwards.
    void orphan();

    // Called when the word became empty, with its previous value. The caller keeps this object alive.
    void handle_empty(std::uint64_t before);

    // Whether ending a request leads to a call of handle_empty().
    static bool must_handle_empty(std::uint64_t before) {
        return before / one == 1 && (before & (watched | orphaned)) != 0;
    }

    bool is_forked_child() const;
    const SlotBlock* blocks() const { return blocks_.load(std::memory_order_acquire); }

    alignas(64) std::atomic<std::uint64_t> word = 0;

  private:
    // On a different cache line than `word`, which every request writes.
    alignas(64) std::atomic<SlotBlock*> blocks_ = nullptr;
    const pid_t pid_ = current_pid();
    std::mutex pools_mutex_;
    std::list<SlotPool> pools_;
    std::vector<SlotPool*> idle_pools_;  // capacity for all pools
    std::list<std::unique_ptr<SlotBlock>> owned_blocks_;
    const std::function<void()> when_empty_;
    std::shared_ptr<RequestRegistryCore> self_;  // set while orphaned
};

}  // namespace holdfast
