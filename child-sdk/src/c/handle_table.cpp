#include "handle_table.hpp"

#include <algorithm>
#include <new>

namespace holdfast::c {

namespace {

// Never destroyed: handles may be used while the process exits.
constinit HandleTable table;

}  // namespace

HandleTable& handle_table() { return table; }

// Free entries of one thread.
class EntryCache {
  public:
    EntryCache() = default;
    ~EntryCache() { flush(size_); }
    EntryCache(const EntryCache&) = delete;
    EntryCache& operator=(const EntryCache&) = delete;

    std::uint32_t take() {
        if (size_ == 0) {
            size_ = table.pop(entries_.data(), batch);
            if (size_ == 0) {
                table.grow(entries_.data(), batch);
                size_ = batch;
            }
        }
        return entries_[--size_];
    }

    void put(std::uint32_t index) {
        if (size_ == entries_.size()) flush(batch);
        entries_[size_++] = index;
    }

  private:
    static constexpr std::size_t batch = 32;

    void flush(std::size_t count) {
        if (count == 0) return;
        for (std::size_t i = 1; i < count; ++i) {
            table.at(entries_[i - 1]).next.store(entries_[i], std::memory_order_relaxed);
        }
        table.push(entries_[0], entries_[count - 1]);
        std::copy(entries_.begin() + static_cast<std::ptrdiff_t>(count),
                  entries_.begin() + static_cast<std::ptrdiff_t>(size_), entries_.begin());
        size_ -= count;
    }

    std::array<std::uint32_t, 2 * batch> entries_{};
    std::size_t size_ = 0;
};

namespace {

// The cache of the calling thread; null before it has one, and when it ends. Trivially destructible, so that handles
// can be used until the thread ends.
constinit thread_local EntryCache* own_cache = nullptr;
constinit thread_local bool has_ended = false;

struct CacheOwner {
    CacheOwner() { own_cache = &cache; }
    ~CacheOwner() {
        own_cache = nullptr;
        has_ended = true;
    }
    CacheOwner(const CacheOwner&) = delete;
    CacheOwner& operator=(const CacheOwner&) = delete;
    void attach() {}

    EntryCache cache;
};

thread_local CacheOwner cache_owner;

// Calls the function with the cache of this thread, or with one of its own if the thread is about to end.
template <class Function>
auto with_cache(Function function) {
    if (own_cache == nullptr && has_ended) {
        EntryCache passing;
        return function(passing);
    }
    if (own_cache == nullptr) cache_owner.attach();  // constructs it
    return function(*own_cache);
}

}  // namespace

std::uint64_t HandleTable::add(Kind kind, void* object) {
    const std::uint32_t index = with_cache([](EntryCache& cache) { return cache.take(); });
    return at(index).publish(kind, object) | index;
}

void HandleTable::give_back(std::uint64_t handle) {
    with_cache([handle](EntryCache& cache) { cache.put(static_cast<Index>(handle & HandleEntry::index_mask)); });
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
