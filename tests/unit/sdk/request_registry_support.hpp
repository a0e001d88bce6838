#pragma once

// Shared by the tests of the request registry.

#include <condition_variable>
#include <cstddef>
#include <memory>
#include <mutex>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "request_registry.hpp"

namespace holdfast {

inline constexpr std::size_t everything = 1'000'000;

inline std::unique_ptr<RequestRegistry> make_registry() {
    return std::make_unique<RequestRegistry>([] {});
}

inline std::vector<Waiting> described(const RequestRegistry& registry, std::size_t most = everything) {
    std::vector<Waiting> report;
    registry.describe(RequestRegistry::Clock::now(), most, report);
    return report;
}

inline std::multiset<std::string> names(const RequestRegistry& registry, std::size_t most = everything) {
    std::multiset<std::string> names;
    for (const Waiting& request : described(registry, most)) {
        names.insert(request.name);
    }
    return names;
}

// Ends its request when it is destroyed, on any thread.
class RequestGuard {
  public:
    RequestGuard() = default;
    explicit RequestGuard(RequestRegistry::Slot* slot) : slot_(slot) {}
    RequestGuard(RequestGuard&& other) noexcept : slot_(std::exchange(other.slot_, nullptr)) {}
    RequestGuard& operator=(RequestGuard&& other) noexcept {
        std::swap(slot_, other.slot_);
        return *this;
    }
    ~RequestGuard() {
        if (slot_ != nullptr) {
            RequestRegistry::end(slot_);
        }
    }

  private:
    RequestRegistry::Slot* slot_ = nullptr;
};

class Counter {
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
