#include "request_registry.hpp"

#include <time.h>

#include <algorithm>
#include <limits>
#include <mutex>
#include <utility>

#include "request_registry_core.hpp"
#include "wire/wire.hpp"

namespace holdfast {

namespace {

// The pool of the calling thread; null before it has one and after it released it. Trivially destructible, so that it
// can be used until the thread ends.
constinit thread_local SlotPool* own_pool = nullptr;
constinit thread_local bool has_detached = false;

// Keeps the pool assigned to the thread, and the core alive for the pool.
class ThreadPoolLease {
  public:
    ThreadPoolLease() = default;
    ~ThreadPoolLease() {
        detach();
        has_detached = true;
    }
    ThreadPoolLease(const ThreadPoolLease&) = delete;
    ThreadPoolLease& operator=(const ThreadPoolLease&) = delete;

    void attach(RequestRegistryCore& core) {
        detach();
        std::shared_ptr<RequestRegistryCore> attached = core.shared_from_this();
        own_pool = &core.acquire_pool();
        core_ = std::move(attached);
    }

  private:
    void detach() {
        if (core_ != nullptr) {
            core_->release_pool(*std::exchange(own_pool, nullptr));
            core_.reset();
        }
    }

    std::shared_ptr<RequestRegistryCore> core_;
};

thread_local ThreadPoolLease thread_pool_lease;

// Cheaper than steady_clock, of the same epoch as describe() uses. Ages need not be exact.
std::int64_t coarse_nanoseconds() {
    timespec now{};
    ::clock_gettime(CLOCK_MONOTONIC_COARSE, &now);
    return std::int64_t{now.tv_sec} * 1'000'000'000 + now.tv_nsec;
}

RequestSlot& take_or_grow(RequestRegistryCore& core, SlotPool& pool) {
    RequestSlot* slot = pool.take();
    return slot != nullptr ? *slot : core.grow(pool);
}

// For a thread that is about to end and has already released its pool.
RequestSlot& take_without_pool(RequestRegistryCore& core) {
    SlotPool& pool = core.acquire_pool();
    RequestSlot& slot = take_or_grow(core, pool);
    core.release_pool(pool);
    return slot;
}

RequestSlot& take(RequestRegistryCore& core) {
    if (own_pool == nullptr || own_pool->core != &core) {
        if (has_detached) {
            return take_without_pool(core);
        }
        thread_pool_lease.attach(core);
    }
    return take_or_grow(core, *own_pool);
}

// Ends a request on a thread without a pool of this core. Only the request keeps the core alive, so the core must be
// locked before the count is decremented if there is work to do afterwards.
void end_without_pool(RequestRegistryCore& core, RequestSlot& slot) {
    slot.pool().ended_without_pool.fetch_add(1, std::memory_order_relaxed);
    slot.pool().give_back(slot);
    std::shared_ptr<RequestRegistryCore> held;
    std::uint64_t before = core.word.load(std::memory_order_relaxed);
    do {
        if (RequestRegistryCore::must_handle_empty(before) && held == nullptr) {
            held = core.shared_from_this();
        }
    } while (!core.word.compare_exchange_weak(before, before - RequestRegistryCore::one, std::memory_order_acq_rel,
                                              std::memory_order_relaxed));
    if (RequestRegistryCore::must_handle_empty(before)) {
        core.handle_empty(before);
    }
}

}  // namespace

SlotPool& RequestRegistryCore::acquire_pool() {
    const std::lock_guard lock(pools_mutex_);
    if (idle_pools_.empty()) {
        idle_pools_.reserve(pools_.size() + 1);
        return pools_.emplace_back(*this);
    }
    SlotPool& pool = *idle_pools_.back();
    idle_pools_.pop_back();
    return pool;
}

void RequestRegistryCore::release_pool(SlotPool& pool) {
    // In a forked child a thread of the parent may hold the lock for ever.
    if (::getpid() == pid_) {
        const std::lock_guard lock(pools_mutex_);
        idle_pools_.push_back(&pool);
    }
}

RequestSlot& RequestRegistryCore::grow(SlotPool& pool) {
    std::unique_ptr<SlotBlock> block = pool.make_block();
    const std::lock_guard lock(pools_mutex_);
    owned_blocks_.push_back(std::move(block));
    SlotBlock& added = *owned_blocks_.back();
    added.next = blocks_.load(std::memory_order_relaxed);
    blocks_.store(&added, std::memory_order_release);
    pool.size += added.slots.size();
    for (RequestSlot& slot : added.slots) {
        pool.put(slot);
    }
    return *pool.take();
}

void RequestRegistryCore::orphan() {
    self_ = shared_from_this();
    if (word.fetch_or(orphaned, std::memory_order_acq_rel) < one) {
        self_.reset();
    }
}

void RequestRegistryCore::handle_empty(std::uint64_t before) {
    if ((before & orphaned) != 0) {
        const std::shared_ptr<RequestRegistryCore> last = std::move(self_);
        return;
    }
    when_empty_();
}

std::uint64_t RequestRegistryCore::served() const {
    const std::lock_guard lock(pools_mutex_);
    std::uint64_t sum = 0;
    for (const SlotPool& pool : pools_) {
        sum += pool.ended.load(std::memory_order_relaxed) + pool.ended_without_pool.load(std::memory_order_relaxed);
    }
    return sum;
}

RequestRegistry::RequestRegistry(std::function<void()> when_empty)
    : core_(std::make_shared<RequestRegistryCore>(std::move(when_empty))) {}

RequestRegistry::~RequestRegistry() { core_->orphan(); }

RequestSlot* RequestRegistry::begin(std::string_view name) {
    RequestRegistryCore& core = *core_;
    RequestSlot& slot = take(core);
    if ((core.word.fetch_add(RequestRegistryCore::one, std::memory_order_acq_rel) & RequestRegistryCore::closed) != 0) {
        core.word.fetch_sub(RequestRegistryCore::one, std::memory_order_relaxed);
        slot.pool().give_back(slot);
        return nullptr;
    }
    slot.write(name.size() <= max_name_bytes ? name : wire::cut(name, max_name_bytes), coarse_nanoseconds());
    return &slot;
}

void RequestRegistry::end(RequestSlot* slot) noexcept {
    SlotPool& home_pool = slot->pool();
    RequestRegistryCore& core = *home_pool.core;
    slot->clear();
    SlotPool* const own = own_pool;
    if (own == nullptr || own->core != &core) {
        return end_without_pool(core, *slot);
    }
    if (own == &home_pool) {
        own->put(*slot);
    } else {
        home_pool.give_back(*slot);
    }
    own->count_end();
    const std::uint64_t before = core.word.fetch_sub(RequestRegistryCore::one, std::memory_order_acq_rel);
    if (RequestRegistryCore::must_handle_empty(before)) {
        core.handle_empty(before);
    }
}

void RequestRegistry::watch(Watch watch) {
    if (watch == Watch::on) {
        core_->word.fetch_or(RequestRegistryCore::watched, std::memory_order_acq_rel);
    } else {
        core_->word.fetch_and(~RequestRegistryCore::watched, std::memory_order_acq_rel);
    }
}

RequestRegistry::Closed RequestRegistry::close_if_empty() {
    std::uint64_t word = core_->word.load(std::memory_order_acquire);
    do {
        if ((word & RequestRegistryCore::closed) != 0) {
            return Closed::yes;
        }
        if (word >= RequestRegistryCore::one) {
            return Closed::no;
        }
    } while (!core_->word.compare_exchange_weak(word, word | RequestRegistryCore::closed, std::memory_order_acq_rel,
                                                std::memory_order_acquire));
    return Closed::yes;
}

std::uint64_t RequestRegistry::held() const {
    const std::uint64_t word = core_->word.load(std::memory_order_acquire);
    // A request that is being refused is also counted for a moment.
    return (word & RequestRegistryCore::closed) != 0 ? 0 : word / RequestRegistryCore::one;
}

std::uint64_t RequestRegistry::served() const { return core_->served(); }

void RequestRegistry::describe(Clock::time_point now, std::size_t most, std::vector<Waiting>& report) const {
    const auto is_older = [](const RequestSlot::Shown& one, const RequestSlot::Shown& other) {
        return one.since < other.since;
    };
    std::vector<RequestSlot::Shown> oldest;  // a max-heap by start time: the youngest at the front
    RequestSlot::Shown shown;
    for (const SlotBlock* block = core_->blocks(); block != nullptr && most > 0; block = block->next) {
        for (const RequestSlot& slot : block->slots) {
            const bool is_full = oldest.size() == most;
            if (!slot.read_if_before(is_full ? oldest.front().since : std::numeric_limits<std::int64_t>::max(),
                                     shown)) {
                continue;
            }
            if (is_full) {
                std::pop_heap(oldest.begin(), oldest.end(), is_older);
                oldest.pop_back();
            }
            oldest.push_back(shown);
            std::push_heap(oldest.begin(), oldest.end(), is_older);
        }
    }
    std::sort_heap(oldest.begin(), oldest.end(), is_older);
    const std::int64_t present = std::chrono::nanoseconds(now.time_since_epoch()).count();
    for (RequestSlot::Shown& request : oldest) {
        report.push_back(
            {"request", std::move(request.name), std::max<std::int64_t>(0, present - request.since) / 1000});
    }
}

}  // namespace holdfast
