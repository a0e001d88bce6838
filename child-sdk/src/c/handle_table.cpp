#include "handle_table.hpp"

#include <algorithm>
#include <new>

namespace holdfast::c {

namespace {

// Never destroyed: handles may be used while the process exits.
constinit HandleTable table;

}  // namespace

HandleTable& handle_table() { return table; }

std::uint64_t HandleTable::add(ThreadState& thread, Kind kind, void* object) {
    if (thread.free_count == 0) refill(thread);
    const Index index = thread.free_entries.at(--thread.free_count);
    return at(index).publish(kind, object) | index;
}

void HandleTable::give_back(ThreadState& thread, std::uint64_t handle) {
    if (thread.free_count == thread.free_entries.size()) flush(thread);
    thread.free_entries.at(thread.free_count++) = static_cast<Index>(handle & HandleEntry::index_mask);
}

void HandleTable::refill(ThreadState& thread) {
    thread.free_count = pop(thread.free_entries.data(), ThreadState::batch);
    if (thread.free_count == 0) {
        grow(thread.free_entries.data(), ThreadState::batch);
        thread.free_count = ThreadState::batch;
    }
}

// Gives the older half of the thread's entries to all threads.
void HandleTable::flush(ThreadState& thread) {
    auto& entries = thread.free_entries;
    for (std::size_t i = 1; i < ThreadState::batch; ++i) {
        at(entries.at(i - 1)).next.store(entries.at(i), std::memory_order_relaxed);
    }
    push(entries.front(), entries.at(ThreadState::batch - 1));
    std::copy(entries.begin() + ThreadState::batch, entries.end(), entries.begin());
    thread.free_count -= ThreadState::batch;
}

void HandleTable::push(Index first, Index last) {
    std::uint64_t head = free_.load(std::memory_order_relaxed);
    std::uint64_t pushed = 0;
    do {
        at(last).next.store(static_cast<Index>(head), std::memory_order_relaxed);
        pushed = ((head >> head_tag_shift) + 1) << head_tag_shift | first;
    } while (!free_.compare_exchange_weak(head, pushed, std::memory_order_acq_rel, std::memory_order_relaxed));
}

// While it walks the list, other threads may take and change entries; the exchange fails then.
std::size_t HandleTable::pop(Index* popped, std::size_t most) {
    std::uint64_t head = free_.load(std::memory_order_acquire);
    for (;;) {
        std::size_t count = 0;
        auto next = static_cast<Index>(head);
        while (next != nothing && count < most) {
            popped[count++] = next;
            next = at(next).next.load(std::memory_order_relaxed);
        }
        if (count == 0) return 0;
        const std::uint64_t left = ((head >> head_tag_shift) + 1) << head_tag_shift | next;
        if (free_.compare_exchange_weak(head, left, std::memory_order_acq_rel, std::memory_order_acquire)) return count;
    }
}

void HandleTable::grow(Index* taken, std::size_t most) {
    auto* chunk = new std::array<HandleEntry, chunk_size>;
    const std::size_t number = chunk_count_.fetch_add(1);
    if (number >= max_chunks - 1) {
        chunk_count_.fetch_sub(1);
        delete chunk;
        throw std::bad_alloc();
    }
    chunks_[number].store(chunk->data(), std::memory_order_release);
    const auto first = static_cast<Index>(number * chunk_size);
    for (std::size_t i = 0; i < most; ++i) taken[i] = first + static_cast<Index>(i);
    const Index last = first + static_cast<Index>(chunk_size) - 1;
    for (Index index = first + static_cast<Index>(most); index < last; ++index) {
        at(index).next.store(index + 1, std::memory_order_relaxed);
    }
    push(first + static_cast<Index>(most), last);
}

}  // namespace holdfast::c
