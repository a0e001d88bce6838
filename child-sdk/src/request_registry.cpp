#include "request_registry.hpp"

#include <pthread.h>
#include <time.h>

#include <algorithm>
#include <limits>
#include <mutex>
#include <tuple>
#include <utility>

#include "process.hpp"
#include "request_registry_core.hpp"
#include "wire/wire.hpp"

namespace holdfast {

namespace {

// The pool of the calling thread, and its core; null before it has one, after it released it, and in a forked child,
// whose threads therefore do not take the fast paths. Trivially destructible, so that it can be used until the thread
// ends.
struct OwnPool {
    RequestRegistryCore* core = nullptr;
    SlotPool* pool = nullptr;
};
constinit thread_local OwnPool own;
constinit thread_local bool has_detached = false;

// The child of a fork has one thread, the one that forked.
void forget_pools_in_forked_children() {
    static const int error = ::pthread_atfork(nullptr, nullptr, [] { own = {}; });
    std::ignore = error;
}

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
        forget_pools_in_forked_children();
        std::shared_ptr<RequestRegistryCore> attached = core.shared_from_this();
        pool_ = &core.acquire_pool();
        core_ = std::move(attached);
        own = {.core = core_.get(), .pool = pool_};
    }

  private:
    void detach() {
        own = {};
        if (core_ != nullptr) {
            core_->release_pool(*pool_);
            core_.reset();
        }
    }

    std::shared_ptr<RequestRegistryCore> core_;
    SlotPool* pool_ = nullptr;
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

// For a thread whose pool has no free slot, or that has no pool of this core.
RequestSlot& take(RequestRegistryCore& core) {
    if (own.core != &core) {
        if (has_detached) {
            return take_without_pool(core);
        }
        thread_pool_lease.attach(core);
    }
    return take_or_grow(core, *own.pool);
}

void uncount(RequestRegistryCore& core) {
    const std::uint64_t before = core.word.fetch_sub(RequestRegistryCore::one, std::memory_order_acq_rel);
    if (RequestRegistryCore::must_handle_empty(before)) {
        core.handle_empty(before);
    }
}

// On a thread without a pool of this core. Only the request keeps the core alive, so the core must be locked before the
// count is decremented if there is work to do afterwards.
void uncount_without_pool(RequestRegistryCore& core) {
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

RequestSlot* refuse(RequestRegistryCore& core, RequestSlot& slot) {
    core.word.fetch_sub(RequestRegistryCore::one, std::memory_order_relaxed);
    slot.pool().give_back(slot);
    return nullptr;
}

RequestSlot* begin_in(RequestRegistryCore& core, RequestSlot& slot, std::string_view name) {
    const std::uint64_t before = core.word.fetch_add(RequestRegistryCore::one, std::memory_order_acq_rel);
    if ((before & RequestRegistryCore::closed) != 0) [[unlikely]] {
        return refuse(core, slot);
    }
    if (name.size() > max_name_bytes) [[unlikely]] {
        name = wire::cut(name, max_name_bytes);
    }
    slot.write(name, coarse_nanoseconds());
    return &slot;
}

[[gnu::noinline]] RequestSlot* begin_slowly(RequestRegistryCore& core, std::string_view name) {
    return core.is_forked_child() ? nullptr : begin_in(core, take(core), name);
}

// Ends a request that began on another thread.
[[gnu::noinline]] void end_of_other_thread(RequestSlot& slot) {
    SlotPool& pool = slot.pool();
    RequestRegistryCore& core = *pool.core;
    if (core.is_forked_child()) {
        return;
    }
    slot.clear();
    pool.give_back(slot);
    if (own.core == &core) {
        uncount(core);
    } else {
        uncount_without_pool(core);
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
    if (!is_forked_child()) {
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

bool RequestRegistryCore::is_forked_child() const { return current_pid() != pid_; }

RequestRegistry::RequestRegistry(std::function<void()> when_empty)
    : core_(std::make_shared<RequestRegistryCore>(std::move(when_empty))) {}

RequestRegistry::~RequestRegistry() { core_->orphan(); }

// begin() and end() keep to what is usual and needs no stack frame; the rest is in functions of their own.
RequestSlot* RequestRegistry::begin(std::string_view name) {
    RequestSlot* const slot = own.core == core_.get() ? own.pool->take_free() : nullptr;
    if (slot == nullptr) [[unlikely]] {
        return begin_slowly(*core_, name);
    }
    return begin_in(*own.core, *slot, name);
}

void RequestRegistry::end(RequestSlot* slot) noexcept {
    SlotPool* const pool = &slot->pool();
    if (own.pool != pool) {
        return end_of_other_thread(*slot);
    }
    slot->clear();
    pool->put(*slot);
    uncount(*own.core);
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

std::uint64_t RequestRegistry::served() const {
    std::uint64_t sum = 0;
    for (const SlotBlock* block = core_->blocks(); block != nullptr; block = block->next) {
        for (const RequestSlot& slot : block->slots) {
            sum += slot.ended();
        }
    }
    return sum;
}

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
