// Threads that start and end, pass requests to each other, and are rejected.

#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <condition_variable>
#include <cstdint>
#include <deque>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "request_registry_core.hpp"
#include "request_registry_support.hpp"

namespace holdfast {
namespace {

// Passes requests from thread to thread.
class Queue {
  public:
    void push(RequestRegistry::Slot* slot) {
        const std::lock_guard lock(mutex_);
        slots_.push_back(slot);
        changed_.notify_one();
    }

    // Returns null after close() when the queue is empty.
    RequestRegistry::Slot* pop() {
        std::unique_lock lock(mutex_);
        changed_.wait(lock, [&] { return !slots_.empty() || is_closed_; });
        if (slots_.empty()) {
            return nullptr;
        }
        return take();
    }

    RequestRegistry::Slot* try_pop() {
        const std::lock_guard lock(mutex_);
        return slots_.empty() ? nullptr : take();
    }

    void close() {
        const std::lock_guard lock(mutex_);
        is_closed_ = true;
        changed_.notify_all();
    }

  private:
    RequestRegistry::Slot* take() {
        RequestRegistry::Slot* slot = slots_.front();
        slots_.pop_front();
        return slot;
    }

    std::mutex mutex_;
    std::condition_variable changed_;
    std::deque<RequestRegistry::Slot*> slots_;
    bool is_closed_ = false;
};

std::size_t slots_in(const RequestRegistryCore& core) {
    std::size_t count = 0;
    for (const SlotBlock* block = core.blocks(); block != nullptr; block = block->next) {
        count += block->slots.size();
    }
    return count;
}

TEST(RequestRegistry, ReusesTheSlotsOfThreadsThatHaveEnded) {
    const auto registry = make_registry();
    RequestRegistry::Slot* probe = registry->begin("probe");
    const RequestRegistryCore& core = *probe->pool().core;
    RequestRegistry::end(probe);
    const auto serve_in_four_threads = [&] {
        std::array<std::thread, 4> threads;
        for (std::thread& thread : threads) {
            thread = std::thread([&] {
                for (int count = 0; count < 20; ++count) {
                    const RequestGuard one(registry->begin("one"));
                    const RequestGuard two(registry->begin("two"));
                }
            });
        }
        for (std::thread& thread : threads) {
            thread.join();
        }
    };
    for (int round = 0; round < 300; ++round) {
        serve_in_four_threads();
    }
    EXPECT_LE(slots_in(core), 5 * 4U);
    EXPECT_EQ(registry->served(), 1U + 300U * 4 * 40);
}

TEST(RequestRegistry, ReusesSlotsThatOtherThreadsReturned) {
    const auto registry = make_registry();
    const RequestRegistryCore* core = nullptr;
    for (int round = 0; round < 50; ++round) {
        std::vector<RequestRegistry::Slot*> held;
        for (int count = 0; count < 64; ++count) {
            held.push_back(registry->begin("ended elsewhere"));
        }
        core = held.front()->pool().core;
        std::thread([&] { std::for_each(held.begin(), held.end(), RequestRegistry::end); }).join();
    }
    EXPECT_EQ(slots_in(*core), 64U);
    EXPECT_EQ(registry->served(), 50U * 64);
}

// A thread_local that is constructed before the thread's pool, and therefore destroyed after it.
struct Late {
    RequestRegistry::Slot* to_end = nullptr;
    RequestRegistry* to_begin_in = nullptr;
    std::atomic<bool>* was_reported = nullptr;
    ~Late() {
        if (to_end != nullptr) {
            RequestRegistry::end(to_end);
            RequestRegistry::Slot* late = to_begin_in->begin("late");
            *was_reported = names(*to_begin_in).count("late") == 1;
            RequestRegistry::end(late);
        }
    }
};

TEST(RequestRegistry, CanBeUsedByAThreadLocalThatIsDestroyedAfterThePool) {
    const auto registry = make_registry();
    std::atomic<bool> was_reported = false;
    std::thread([&] {
        thread_local Late late;
        late.was_reported = &was_reported;
        late.to_begin_in = registry.get();
        late.to_end = registry->begin("long");
    }).join();
    EXPECT_TRUE(was_reported);
    EXPECT_EQ(registry->held(), 0U);
    EXPECT_EQ(registry->served(), 2U);
}

// A name that can be checked for consistency: a number, followed by characters that depend on it.
std::string whole_name(std::uint32_t seed) {
    std::string name = std::to_string(seed) + ":";
    const std::size_t length = name.size() + seed % (max_name_bytes + 1 - name.size());
    while (name.size() < length) {
        name += static_cast<char>('a' + (seed * 31 + name.size()) % 26);
    }
    return name;
}

bool is_whole(const std::string& name) {
    std::uint32_t seed = 0;
    for (std::size_t at = 0; at < name.size() && name[at] != ':'; ++at) {
        seed = seed * 10 + static_cast<std::uint32_t>(name[at] - '0');
    }
    return name == whole_name(seed);
}

TEST(RequestRegistry, NeverReportsAnInconsistentNameWhileThreadsPassRequests) {
    const auto registry = make_registry();
    constexpr std::uint32_t producers = 3;
    constexpr std::uint32_t requests_each = 20'000;
    Queue queue;
    std::vector<std::thread> threads;
    for (std::uint32_t producer = 0; producer < producers; ++producer) {
        threads.emplace_back([&, producer] {
            for (std::uint32_t count = 0; count < requests_each; ++count) {
                RequestRegistry::Slot* slot = registry->begin(whole_name(count * producers + producer));
                if (count % 3 == 0) {
                    RequestRegistry::end(slot);
                    continue;
                }
                queue.push(slot);
                if (RequestRegistry::Slot* taken = count % 3 == 1 ? queue.try_pop() : nullptr) {
                    RequestRegistry::end(taken);
                }
            }
        });
    }
    std::thread consumer([&] {
        while (RequestRegistry::Slot* slot = queue.pop()) {
            RequestRegistry::end(slot);
        }
    });
    std::atomic<bool> is_over = false;
    std::thread reader([&] {
        while (!is_over) {
            const std::vector<Waiting> report = described(*registry, 100);
            EXPECT_TRUE(std::all_of(report.begin(), report.end(),
                                    [](const Waiting& request) { return is_whole(request.name); }));
        }
    });
    std::for_each(threads.begin(), threads.end(), [](std::thread& thread) { thread.join(); });
    queue.close();
    consumer.join();
    is_over = true;
    reader.join();
    EXPECT_EQ(registry->held(), 0U);
    EXPECT_EQ(registry->served(), producers * requests_each);
    EXPECT_TRUE(described(*registry).empty());
}

TEST(RequestRegistry, RejectsConcurrentRequestsOnceItIsClosed) {
    for (int round = 0; round < 60; ++round) {
        const auto registry = make_registry();
        std::atomic<bool> is_closed = false;
        std::array<std::thread, 3> threads;
        for (std::thread& thread : threads) {
            thread = std::thread([&] {
                for (;;) {
                    const bool was_closed = is_closed;
                    RequestRegistry::Slot* slot = registry->begin("try");
                    if (slot == nullptr) {
                        return;
                    }
                    EXPECT_FALSE(was_closed);
                    EXPECT_FALSE(is_closed);
                    RequestRegistry::end(slot);
                    std::this_thread::yield();
                }
            });
        }
        while (registry->close_if_empty() == RequestRegistry::Closed::no) {
            std::this_thread::yield();
        }
        is_closed = true;
        EXPECT_EQ(registry->held(), 0U);
        EXPECT_TRUE(described(*registry).empty());
        std::for_each(threads.begin(), threads.end(), [](std::thread& thread) { thread.join(); });
        EXPECT_EQ(registry->held(), 0U);
    }
}

// For ThreadSanitizer: only the RequestRegistry orders the two accesses.
TEST(RequestRegistry, OrdersTheEffectsOfARequestBeforeTheClose) {
    const auto registry = make_registry();
    std::array<int, 3> done{};
    std::atomic<int> begun = 0;
    std::array<std::thread, 3> threads;
    for (std::size_t number = 0; number < threads.size(); ++number) {
        threads[number] = std::thread([&, number] {
            const RequestGuard request(registry->begin("GET /"));
            begun.fetch_add(1, std::memory_order_relaxed);
            done[number] = 1;
        });
    }
    while (begun.load(std::memory_order_relaxed) < 3 || registry->close_if_empty() == RequestRegistry::Closed::no) {
        std::this_thread::yield();
    }
    for (const int& one : done) {
        EXPECT_EQ(one, 1);
    }
    std::for_each(threads.begin(), threads.end(), [](std::thread& thread) { thread.join(); });
}

TEST(RequestRegistry, NeverMissesACallOfWhenEmpty) {
    for (int round = 0; round < 300; ++round) {
        Counter emptied;
        RequestRegistry registry([&] { emptied.add(); });
        std::array<std::thread, 2> threads;
        std::atomic<int> begun = 0;
        for (std::thread& thread : threads) {
            thread = std::thread([&] {
                const RequestGuard request(registry.begin("short"));
                ++begun;
                begun.notify_all();
                for (int count = begun; count < 2; count = begun) {
                    begun.wait(count);
                }
            });
        }
        for (int count = begun; count < 2; count = begun) {
            begun.wait(count);
        }
        int seen = 0;
        registry.watch(RequestRegistry::Watch::on);
        while (registry.close_if_empty() == RequestRegistry::Closed::no) {
            emptied.wait_for(++seen);
        }
        registry.watch(RequestRegistry::Watch::off);
        std::for_each(threads.begin(), threads.end(), [](std::thread& thread) { thread.join(); });
        EXPECT_EQ(registry.served(), 2U);
        EXPECT_LE(emptied.get(), 1);
    }
}

}  // namespace
}  // namespace holdfast
