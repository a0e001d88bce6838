#pragma once

// What the tests of the ledger share.

#include <condition_variable>
#include <cstddef>
#include <memory>
#include <mutex>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "ledger.hpp"

namespace holdfast {

inline constexpr std::size_t everything = 1'000'000;

inline std::unique_ptr<Ledger> make_ledger() {
    return std::make_unique<Ledger>([] {});
}

inline std::vector<Waiting> described(const Ledger& ledger, std::size_t most = everything) {
    std::vector<Waiting> report;
    ledger.describe(Ledger::Clock::now(), most, report);
    return report;
}

inline std::multiset<std::string> names(const Ledger& ledger, std::size_t most = everything) {
    std::multiset<std::string> names;
    for (const Waiting& request : described(ledger, most)) {
        names.insert(request.name);
    }
    return names;
}

// Ends what it was given, on whatever thread it dies.
class Holding {
  public:
    Holding() = default;
    explicit Holding(Ledger::Slot* slot) : slot_(slot) {}
    Holding(Holding&& other) noexcept : slot_(std::exchange(other.slot_, nullptr)) {}
    Holding& operator=(Holding&& other) noexcept {
        std::swap(slot_, other.slot_);
        return *this;
    }
    ~Holding() {
        if (slot_ != nullptr) {
            Ledger::end(slot_);
        }
    }

  private:
    Ledger::Slot* slot_ = nullptr;
};

class Count {
  public:
    void add() {
        const std::lock_guard lock(mutex_);
        ++count_;
        changed_.notify_all();
    }

    void wait_for(int count) {
        std::unique_lock lock(mutex_);
        changed_.wait(lock, [&] { return count_ >= count; });
    }

    int get() {
        const std::lock_guard lock(mutex_);
        return count_;
    }

  private:
    std::mutex mutex_;
    std::condition_variable changed_;
    int count_ = 0;
};

}  // namespace holdfast
