#include "ledger.hpp"

#include <time.h>

#include <algorithm>
#include <limits>
#include <mutex>
#include <utility>

#include "ledger_core.hpp"
#include "wire/wire.hpp"

namespace holdfast {

namespace {

// The calling thread's stock; null before there is one and after it was left. Without a destructor, and so of use to
// the very end of a thread.
constinit thread_local RequestStock* own_stock = nullptr;
constinit thread_local bool has_left = false;

// Holds the stock for the thread, and the core for the stock.
class Membership {
  public:
    Membership() = default;
    ~Membership() {
        leave();
        has_left = true;
    }
    Membership(const Membership&) = delete;
    Membership& operator=(const Membership&) = delete;

    void join(LedgerCore& core) {
        leave();
        std::shared_ptr<LedgerCore> joined = core.shared_from_this();
        own_stock = &core.rent_stock();
        core_ = std::move(joined);
    }

  private:
    void leave() {
        if (core_ != nullptr) {
            core_->return_stock(*std::exchange(own_stock, nullptr));
            core_.reset();
        }
    }

    std::shared_ptr<LedgerCore> core_;
};

thread_local Membership membership;

// The clock of describe(), read at a fraction of its price: ages are for people.
std::int64_t coarse_nanoseconds() {
    timespec now{};
    ::clock_gettime(CLOCK_MONOTONIC_COARSE, &now);
    return std::int64_t{now.tv_sec} * 1'000'000'000 + now.tv_nsec;
}

RequestSlot& take_or_grow(LedgerCore& core, RequestStock& stock) {
    RequestSlot* slot = stock.take();
    return slot != nullptr ? *slot : core.grow(stock);
}

// For a thread that is about to end, and has left its stock already.
RequestSlot& take_as_stranger(LedgerCore& core) {
    RequestStock& stock = core.rent_stock();
    RequestSlot& slot = take_or_grow(core, stock);
    core.return_stock(stock);
    return slot;
}

RequestSlot& take(LedgerCore& core) {
    if (own_stock == nullptr || own_stock->core != &core) {
        if (has_left) {
            return take_as_stranger(core);
        }
        membership.join(core);
    }
    return take_or_grow(core, *own_stock);
}

// A thread without a stock of this core: nothing but the request keeps the core alive, so it is held before the count
// falls if there is something to be done afterwards.
void end_as_stranger(LedgerCore& core, RequestSlot& slot) {
    slot.home().ended_by_strangers.fetch_add(1, std::memory_order_relaxed);
    slot.home().give_back(slot);
    std::shared_ptr<LedgerCore> held;
    std::uint64_t before = core.word.load(std::memory_order_relaxed);
    do {
        if (LedgerCore::is_last_of_note(before) && held == nullptr) {
            held = core.shared_from_this();
        }
    } while (!core.word.compare_exchange_weak(before, before - LedgerCore::one, std::memory_order_acq_rel,
                                              std::memory_order_relaxed));
    if (LedgerCore::is_last_of_note(before)) {
        core.has_emptied(before);
    }
}

}  // namespace

RequestStock& LedgerCore::rent_stock() {
    const std::lock_guard lock(stocks_mutex_);
    if (idle_.empty()) {
        idle_.reserve(stocks_.size() + 1);
        return stocks_.emplace_back(*this);
    }
    RequestStock& stock = *idle_.back();
    idle_.pop_back();
    return stock;
}

void LedgerCore::return_stock(RequestStock& stock) {
    // In a forked child the lock may be held for ever, by a thread that only the parent has.
    if (::getpid() == pid_) {
        const std::lock_guard lock(stocks_mutex_);
        idle_.push_back(&stock);
    }
}

RequestSlot& LedgerCore::grow(RequestStock& stock) {
    std::unique_ptr<RequestBlock> block = stock.make_block();
    const std::lock_guard lock(stocks_mutex_);
    owned_blocks_.push_back(std::move(block));
    RequestBlock& added = *owned_blocks_.back();
    added.next = blocks_.load(std::memory_order_relaxed);
    blocks_.store(&added, std::memory_order_release);
    stock.size += added.slots.size();
    for (RequestSlot& slot : added.slots) {
        stock.put(slot);
    }
    return *stock.take();
}

void LedgerCore::orphan() {
    self_ = shared_from_this();
    if (word.fetch_or(orphaned, std::memory_order_acq_rel) < one) {
        self_.reset();
    }
}

void LedgerCore::has_emptied(std::uint64_t before) {
    if ((before & orphaned) != 0) {
        const std::shared_ptr<LedgerCore> last = std::move(self_);
        return;
    }
    when_empty_();
}

std::uint64_t LedgerCore::served() const {
    const std::lock_guard lock(stocks_mutex_);
    std::uint64_t sum = 0;
    for (const RequestStock& stock : stocks_) {
        sum += stock.ended.load(std::memory_order_relaxed) + stock.ended_by_strangers.load(std::memory_order_relaxed);
    }
    return sum;
}

Ledger::Ledger(std::function<void()> when_empty) : core_(std::make_shared<LedgerCore>(std::move(when_empty))) {}

Ledger::~Ledger() { core_->orphan(); }

RequestSlot* Ledger::begin(std::string_view name) {
    LedgerCore& core = *core_;
    RequestSlot& slot = take(core);
    if ((core.word.fetch_add(LedgerCore::one, std::memory_order_acq_rel) & LedgerCore::closed) != 0) {
        core.word.fetch_sub(LedgerCore::one, std::memory_order_relaxed);
        slot.home().give_back(slot);
        return nullptr;
    }
    slot.write(name.size() <= max_name_bytes ? name : wire::cut(name, max_name_bytes), coarse_nanoseconds());
    return &slot;
}

void Ledger::end(RequestSlot* slot) noexcept {
    RequestStock& home = slot->home();
    LedgerCore& core = *home.core;
    slot->clear();
    RequestStock* const own = own_stock;
    if (own == nullptr || own->core != &core) {
        return end_as_stranger(core, *slot);
    }
    if (own == &home) {
        own->put(*slot);
    } else {
        home.give_back(*slot);
    }
    own->count_end();
    const std::uint64_t before = core.word.fetch_sub(LedgerCore::one, std::memory_order_acq_rel);
    if (LedgerCore::is_last_of_note(before)) {
        core.has_emptied(before);
    }
}

void Ledger::watch(Watch watch) {
    if (watch == Watch::on) {
        core_->word.fetch_or(LedgerCore::watched, std::memory_order_acq_rel);
    } else {
        core_->word.fetch_and(~LedgerCore::watched, std::memory_order_acq_rel);
    }
}

Ledger::Closed Ledger::close_if_empty() {
    std::uint64_t word = core_->word.load(std::memory_order_acquire);
    do {
        if ((word & LedgerCore::closed) != 0) {
            return Closed::yes;
        }
        if (word >= LedgerCore::one) {
            return Closed::no;
        }
    } while (!core_->word.compare_exchange_weak(word, word | LedgerCore::closed, std::memory_order_acq_rel,
                                                std::memory_order_acquire));
    return Closed::yes;
}

std::uint64_t Ledger::held() const {
    const std::uint64_t word = core_->word.load(std::memory_order_acquire);
    // What is refused counts for a moment, too.
    return (word & LedgerCore::closed) != 0 ? 0 : word / LedgerCore::one;
}

std::uint64_t Ledger::served() const { return core_->served(); }

void Ledger::describe(Clock::time_point now, std::size_t most, std::vector<Waiting>& report) const {
    const auto is_older = [](const RequestSlot::Shown& one, const RequestSlot::Shown& other) {
        return one.since < other.since;
    };
    std::vector<RequestSlot::Shown> oldest;  // a heap, the youngest of them first
    RequestSlot::Shown shown;
    for (const RequestBlock* block = core_->blocks(); block != nullptr && most > 0; block = block->next) {
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
