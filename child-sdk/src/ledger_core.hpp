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

#include "request_stock.hpp"

namespace holdfast {

// What a Ledger shares with its requests and with the threads that began some: the count, the stocks and their slots.
class LedgerCore : public std::enable_shared_from_this<LedgerCore> {
  public:
    // The word: a count of requests, and flags below it.
    static constexpr std::uint64_t closed = 1;
    static constexpr std::uint64_t watched = 2;
    static constexpr std::uint64_t orphaned = 4;  // the Ledger has gone: the last request frees this
    static constexpr std::uint64_t flags = 7;
    static constexpr std::uint64_t one = 8;

    explicit LedgerCore(std::function<void()> when_empty) : when_empty_(std::move(when_empty)) {}

    // A stock that belongs to no thread, and its way back.
    RequestStock& rent_stock();
    void return_stock(RequestStock& stock);

    // More slots for the caller's stock; one of them is the result.
    RequestSlot& grow(RequestStock& stock);

    // Once the Ledger has gone; from then on nothing begins.
    void orphan();

    // What has to be done when the word became empty from `before`. The caller holds this object.
    void has_emptied(std::uint64_t before);

    // Whether a count that ends has to look at what it leaves.
    static bool is_last_of_note(std::uint64_t before) {
        return before / one == 1 && (before & (watched | orphaned)) != 0;
    }

    std::uint64_t served() const;
    const RequestBlock* blocks() const { return blocks_.load(std::memory_order_acquire); }

    alignas(64) std::atomic<std::uint64_t> word = 0;

  private:
    // Not on the line of the word, which every request writes.
    alignas(64) std::atomic<RequestBlock*> blocks_ = nullptr;
    const pid_t pid_ = ::getpid();
    mutable std::mutex stocks_mutex_;
    std::list<RequestStock> stocks_;
    std::vector<RequestStock*> idle_;  // has room for all
    std::list<std::unique_ptr<RequestBlock>> owned_blocks_;
    const std::function<void()> when_empty_;
    std::shared_ptr<LedgerCore> self_;  // while orphaned
};

}  // namespace holdfast
