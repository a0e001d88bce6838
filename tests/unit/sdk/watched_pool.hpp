#pragma once

// Shared by the tests that drive workers at random.

#include <atomic>
#include <condition_variable>
#include <mutex>
#include <random>
#include <stop_token>
#include <thread>
#include <vector>

namespace holdfast {

using Random = std::mt19937;

inline unsigned pick(Random& random, unsigned below) {
    return std::uniform_int_distribution<unsigned>(0, below - 1)(random);
}

// A resource that records whether it is used after or during its close. Its atomics are relaxed, so only the SDK orders
// uses and closes: ThreadSanitizer finds a close that is not ordered after every use, even if it happens to come late
// enough.
class WatchedPool {
  public:
    void use(std::atomic<int>& violations) {
        users_.fetch_add(1, std::memory_order_relaxed);
        if (is_closed() || content_ != open) {
            ++violations;
        }
        if (uses_.fetch_add(1, std::memory_order_relaxed) % 16 == 0) {
            std::this_thread::yield();  // rarely: on a loaded machine it takes as long as a thousand uses
        }
        users_.fetch_sub(1, std::memory_order_relaxed);
    }

    void close(std::atomic<int>& violations) {
        if (users_.load(std::memory_order_relaxed) != 0 || is_closed_.exchange(true, std::memory_order_relaxed)) {
            ++violations;
        }
        content_ = 0;
    }

    bool is_closed() const { return is_closed_.load(std::memory_order_relaxed); }

  private:
    static constexpr int open = 42;

    std::atomic<int> users_ = 0;
    std::atomic<unsigned> uses_ = 0;
    std::atomic<bool> is_closed_ = false;
    int content_ = open;  // deliberately unguarded
};

inline void use_all(const std::vector<WatchedPool*>& pools, std::atomic<int>& violations) {
    for (WatchedPool* pool : pools) {
        pool->use(violations);
    }
}

inline void wait_for(const std::stop_token& stop) {
    std::mutex mutex;
    std::condition_variable_any changed;
    std::unique_lock lock(mutex);
    changed.wait(lock, stop, [] { return false; });
}

}  // namespace holdfast
