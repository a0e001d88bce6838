#pragma once

#include <algorithm>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <memory>
#include <utility>

#include "request_slot.hpp"

namespace holdfast {

class RequestRegistryCore;

// Slots that are allocated together. They live as long as the RequestRegistry, so that readers need no lock.
struct SlotBlock {
    std::deque<RequestSlot> slots;
    SlotBlock* next = nullptr;
};

// The slots of one thread. Other threads that end its requests return the slots through `returned`.
struct alignas(64) SlotPool {
    explicit SlotPool(RequestRegistryCore& owner) : core(&owner) {}

    // For the owning thread: returns a free slot that it ended itself, or null.
    RequestSlot* take_free() { return free == nullptr ? nullptr : std::exchange(free, free->next); }

    // For the owning thread: returns a free slot, or null.
    RequestSlot* take() {
        if (free == nullptr) {
            free = returned.exchange(nullptr, std::memory_order_acquire);
        }
        return take_free();
    }

    void put(RequestSlot& slot) {
        slot.next = free;
        free = &slot;
    }

    // For any other thread. The list is only pushed to and taken as a whole, so there is no ABA problem.
    void give_back(RequestSlot& slot) {
        slot.next = returned.load(std::memory_order_relaxed);
        while (
            !returned.compare_exchange_weak(slot.next, &slot, std::memory_order_release, std::memory_order_relaxed)) {
        }
    }

    // Allocates as many slots as the pool has (4 to 256), so a thread with one request at a time uses little memory.
    std::unique_ptr<SlotBlock> make_block() {
        const std::size_t count = std::clamp<std::size_t>(size, 4, 256);
        auto block = std::make_unique<SlotBlock>();
        for (std::size_t made = 0; made < count; ++made) {
            block->slots.emplace_back(*this);
        }
        return block;
    }

    RequestRegistryCore* const core;
    RequestSlot* free = nullptr;
    std::size_t size = 0;

    alignas(64) std::atomic<RequestSlot*> returned = nullptr;
};

}  // namespace holdfast
