#pragma once

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>

#include "thread_state.hpp"

// The table behind the handles of holdfast.h. A handle is a number: the kind of the object, a generation, and the index
// of an entry. The table is never freed and an entry changes its generation whenever its handle ends, so any number
// that a program passes can be checked without undefined behaviour: a handle that was ended, a copy of one, or garbage.
//
// No function takes a lock, so the table stays consistent in a forked child. Each thread keeps some free entries;
// threads exchange them in batches, over a lock-free list.

namespace holdfast::c {

enum class Kind : std::uint8_t { none, worker, listener, acceptor, request, session, work, stop };

// One entry. Its word has the kind and the generation in the upper bits, as the handle has, and below them whether the
// handle has ended, and the number of pins. The object is destroyed by whoever removes the last pin of an ended handle.
class HandleEntry {
  public:
    static constexpr unsigned index_bits = 24;
    static constexpr unsigned kind_shift = 60;
    static constexpr std::uint64_t generation_step = std::uint64_t{1} << index_bits;
    static constexpr std::uint64_t generation_mask = (std::uint64_t{1} << kind_shift) - generation_step;
    static constexpr std::uint64_t index_mask = generation_step - 1;
    static constexpr std::uint64_t ended = std::uint64_t{1} << (index_bits - 1);
    static constexpr std::uint64_t pins_mask = ended - 1;

    // Called by the thread that took the free entry. Returns the upper bits of its handle.
    std::uint64_t publish(Kind kind, void* object) {
        object_ = object;
        const std::uint64_t upper = word_.load(std::memory_order_relaxed) & generation_mask;
        const std::uint64_t published = upper | static_cast<std::uint64_t>(kind) << kind_shift;
        word_.store(published, std::memory_order_release);
        return published;
    }

    enum class Now { valid, ended, other };  // other: the entry does not belong to the handle, or not any more
    Now check(std::uint64_t handle) const {
        const std::uint64_t word = word_.load();
        if (is_other(word, handle)) return Now::other;
        return (word & ended) == 0 ? Now::valid : Now::ended;
    }

    // Keeps the object alive until unpin().
    bool pin(std::uint64_t handle) { return add(handle, 1); }

    // Ends the handle and pins the object. Only one caller succeeds.
    bool end(std::uint64_t handle) { return add(handle, ended + 1); }

    // Takes an end() back: the caller's pin is removed, and the handle is valid again.
    void revive() { word_.fetch_sub(ended + 1); }

    enum class Last { yes, no };
    // Last::yes: the handle has ended and nothing else uses the object. The caller destroys it and gives the entry
    // back.
    Last unpin() {
        const std::uint64_t before = word_.fetch_sub(1, std::memory_order_acq_rel);
        return (before & index_mask) == (ended | 1) ? Last::yes : Last::no;
    }

    bool is_pinned_once() const { return (word_.load(std::memory_order_acquire) & pins_mask) == 1; }

    // Ends a handle that is never pinned, in one step. Only one caller succeeds; it gives the entry back.
    bool take(std::uint64_t handle) {
        std::uint64_t word = handle & ~index_mask;
        return word_.compare_exchange_strong(word, next_generation(word), std::memory_order_acq_rel,
                                             std::memory_order_relaxed);
    }

    // Makes all handles of the entry invalid. The caller has the last pin.
    void retire() { word_.store(next_generation(word_.load(std::memory_order_relaxed)), std::memory_order_release); }

    // For the caller that published, pinned, ended or took the handle.
    void* object() const { return object_; }

    std::atomic<std::uint32_t> next = 0;  // in the list of free entries

  private:
    static bool is_other(std::uint64_t word, std::uint64_t handle) { return ((word ^ handle) & ~index_mask) != 0; }
    static std::uint64_t next_generation(std::uint64_t word) { return (word + generation_step) & generation_mask; }

    bool add(std::uint64_t handle, std::uint64_t added) {
        std::uint64_t word = word_.load(std::memory_order_relaxed);
        do {
            if (is_other(word, handle) || (word & ended) != 0) return false;
        } while (!word_.compare_exchange_weak(word, word + added));
        return true;
    }

    std::atomic<std::uint64_t> word_ = 0;
    void* object_ = nullptr;
};

class HandleTable {
  public:
    // Takes a free entry for the object. Throws std::bad_alloc if there are 2^24 handles already.
    std::uint64_t add(ThreadState& thread, Kind kind, void* object);

    // Returns null for a number that no handle of this library can be.
    HandleEntry* find(std::uint64_t handle) {
        const std::size_t index = handle & HandleEntry::index_mask;
        HandleEntry* chunk = chunks_[index / chunk_size].load(std::memory_order_acquire);
        return chunk == nullptr ? nullptr : chunk + index % chunk_size;
    }

    // Returns an entry whose handle has ended.
    void give_back(ThreadState& thread, std::uint64_t handle);

  private:
    using Index = std::uint32_t;
    static constexpr std::size_t chunk_size = 256;
    static constexpr std::size_t max_chunks = (HandleEntry::index_mask + 1) / chunk_size;
    static constexpr Index nothing = HandleEntry::index_mask;  // this entry is never used
    static constexpr unsigned head_tag_shift = 32;

    HandleEntry& at(Index index) { return *find(index); }
    void refill(ThreadState& thread);
    void flush(ThreadState& thread);
    void push(Index first, Index last);
    // Pops up to `most` entries into `popped`, and returns how many.
    std::size_t pop(Index* popped, std::size_t most);
    // Allocates a chunk, keeps `most` of its entries in `taken`, and pushes the rest.
    void grow(Index* taken, std::size_t most);

    std::array<std::atomic<HandleEntry*>, max_chunks> chunks_{};
    std::atomic<std::size_t> chunk_count_ = 0;
    // The first free entry, and a tag that changes with every push and pop, so that an old head is never taken for the
    // present one.
    std::atomic<std::uint64_t> free_ = nothing;
};

// The table of this process.
HandleTable& handle_table();

}  // namespace holdfast::c
