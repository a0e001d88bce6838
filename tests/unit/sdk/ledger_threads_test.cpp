// Threads that come and go, hand requests over, and are refused.

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

#include "ledger_core.hpp"
#include "ledger_support.hpp"

namespace holdfast {
namespace {

// Hands requests from thread to thread.
class Queue {
  public:
    void push(Ledger::Slot* slot) {
        const std::lock_guard lock(mutex_);
        slots_.push_back(slot);
        changed_.notify_one();
    }

    // Null after close() and the last one.
    Ledger::Slot* pop() {
        std::unique_lock lock(mutex_);
        changed_.wait(lock, [&] { return !slots_.empty() || is_closed_; });
        if (slots_.empty()) {
            return nullptr;
        }
        return take();
    }

    Ledger::Slot* try_pop() {
        const std::lock_guard lock(mutex_);
        return slots_.empty() ? nullptr : take();
    }

    void close() {
        const std::lock_guard lock(mutex_);
        is_closed_ = true;
        changed_.notify_all();
    }

  private:
    Ledger::Slot* take() {
        Ledger::Slot* slot = slots_.front();
        slots_.pop_front();
        return slot;
    }

    std::mutex mutex_;
    std::condition_variable changed_;
    std::deque<Ledger::Slot*> slots_;
    bool is_closed_ = false;
};

std::size_t slots_in(const LedgerCore& core) {
    std::size_t count = 0;
    for (const RequestBlock* block = core.blocks(); block != nullptr; block = block->next) {
        count += block->slots.size();
    }
    return count;
}

TEST(Ledger, ThreadsThatComeAndGoUseTheSameSlots) {
    const auto ledger = make_ledger();
    Ledger::Slot* probe = ledger->begin("probe");
    const LedgerCore& core = *probe->home().core;
    Ledger::end(probe);
    const auto serve_in_four_threads = [&] {
        std::array<std::thread, 4> threads;
        for (std::thread& thread : threads) {
            thread = std::thread([&] {
                for (int count = 0; count < 20; ++count) {
                    const Holding one(ledger->begin("one"));
                    const Holding two(ledger->begin("two"));
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
    EXPECT_EQ(ledger->served(), 1U + 300U * 4 * 40);
}

TEST(Ledger, SlotsThatOthersGiveBackAreUsedAgain) {
    const auto ledger = make_ledger();
    const LedgerCore* core = nullptr;
    for (int round = 0; round < 50; ++round) {
        std::vector<Ledger::Slot*> held;
        for (int count = 0; count < 64; ++count) {
            held.push_back(ledger->begin("given away"));
        }
        core = held.front()->home().core;
        std::thread([&] { std::for_each(held.begin(), held.end(), Ledger::end); }).join();
    }
    EXPECT_EQ(slots_in(*core), 64U);
    EXPECT_EQ(ledger->served(), 50U * 64);
}

// A thread_local that was made before the thread's stock, and so is destroyed after it.
struct Late {
    Ledger::Slot* to_end = nullptr;
    Ledger* to_begin_in = nullptr;
    std::atomic<bool>* was_named = nullptr;
    ~Late() {
        if (to_end != nullptr) {
            Ledger::end(to_end);
            Ledger::Slot* late = to_begin_in->begin("late");
            *was_named = names(*to_begin_in).count("late") == 1;
            Ledger::end(late);
        }
    }
};

TEST(Ledger, ServesTheDestructorOfAThreadLocalThatOutlivedTheStock) {
    const auto ledger = make_ledger();
    std::atomic<bool> was_named = false;
    std::thread([&] {
        thread_local Late late;
        late.was_named = &was_named;
        late.to_begin_in = ledger.get();
        late.to_end = ledger->begin("long");
    }).join();
    EXPECT_TRUE(was_named);
    EXPECT_EQ(ledger->held(), 0U);
    EXPECT_EQ(ledger->served(), 2U);
}

// A name that says by itself whether it is whole: a number again and again, as often as it fits into its length.
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

TEST(Ledger, NeverShowsATornNameWhileThreadsHandRequestsOver) {
    const auto ledger = make_ledger();
    constexpr std::uint32_t producers = 3;
    constexpr std::uint32_t requests_each = 20'000;
    Queue queue;
    std::vector<std::thread> threads;
    for (std::uint32_t producer = 0; producer < producers; ++producer) {
        threads.emplace_back([&, producer] {
            for (std::uint32_t count = 0; count < requests_each; ++count) {
                Ledger::Slot* slot = ledger->begin(whole_name(count * producers + producer));
                if (count % 3 == 0) {
                    Ledger::end(slot);
                    continue;
                }
                queue.push(slot);
                if (Ledger::Slot* taken = count % 3 == 1 ? queue.try_pop() : nullptr) {
                    Ledger::end(taken);
                }
            }
        });
    }
    std::thread consumer([&] {
        while (Ledger::Slot* slot = queue.pop()) {
            Ledger::end(slot);
        }
    });
    std::atomic<bool> is_over = false;
    std::thread reader([&] {
        while (!is_over) {
            const std::vector<Waiting> report = described(*ledger, 100);
            EXPECT_TRUE(std::all_of(report.begin(), report.end(),
                                    [](const Waiting& request) { return is_whole(request.name); }));
        }
    });
    std::for_each(threads.begin(), threads.end(), [](std::thread& thread) { thread.join(); });
    queue.close();
    consumer.join();
    is_over = true;
    reader.join();
    EXPECT_EQ(ledger->held(), 0U);
    EXPECT_EQ(ledger->served(), producers * requests_each);
    EXPECT_TRUE(described(*ledger).empty());
}

TEST(Ledger, NothingBeginsOnceItIsClosedHoweverManyTry) {
    for (int round = 0; round < 60; ++round) {
        const auto ledger = make_ledger();
        std::atomic<bool> is_closed = false;
        std::array<std::thread, 3> threads;
        for (std::thread& thread : threads) {
            thread = std::thread([&] {
                for (;;) {
                    const bool was_closed = is_closed;
                    Ledger::Slot* slot = ledger->begin("try");
                    if (slot == nullptr) {
                        return;
                    }
                    EXPECT_FALSE(was_closed);
                    EXPECT_FALSE(is_closed);
                    Ledger::end(slot);
                    std::this_thread::yield();
                }
            });
        }
        while (ledger->close_if_empty() == Ledger::Closed::no) {
            std::this_thread::yield();
        }
        is_closed = true;
        EXPECT_EQ(ledger->held(), 0U);
        EXPECT_TRUE(described(*ledger).empty());
        std::for_each(threads.begin(), threads.end(), [](std::thread& thread) { thread.join(); });
        EXPECT_EQ(ledger->held(), 0U);
    }
}

// Under ThreadSanitizer: nothing but the Ledger orders the two.
TEST(Ledger, WhatWasDoneInARequestIsSeenByWhoeverClosed) {
    const auto ledger = make_ledger();
    std::array<int, 3> done{};
    std::atomic<int> begun = 0;
    std::array<std::thread, 3> threads;
    for (std::size_t number = 0; number < threads.size(); ++number) {
        threads[number] = std::thread([&, number] {
            const Holding request(ledger->begin("GET /"));
            begun.fetch_add(1, std::memory_order_relaxed);
            done[number] = 1;
        });
    }
    while (begun.load(std::memory_order_relaxed) < 3 || ledger->close_if_empty() == Ledger::Closed::no) {
        std::this_thread::yield();
    }
    for (const int& one : done) {
        EXPECT_EQ(one, 1);
    }
    std::for_each(threads.begin(), threads.end(), [](std::thread& thread) { thread.join(); });
}

TEST(Ledger, AWatcherThatWaitsForTheCallMissesNoEmptiness) {
    for (int round = 0; round < 300; ++round) {
        Count emptied;
        Ledger ledger([&] { emptied.add(); });
        std::array<std::thread, 2> threads;
        std::atomic<int> begun = 0;
        for (std::thread& thread : threads) {
            thread = std::thread([&] {
                const Holding request(ledger.begin("short"));
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
        ledger.watch(Ledger::Watch::on);
        while (ledger.close_if_empty() == Ledger::Closed::no) {
            emptied.wait_for(++seen);
        }
        ledger.watch(Ledger::Watch::off);
        std::for_each(threads.begin(), threads.end(), [](std::thread& thread) { thread.join(); });
        EXPECT_EQ(ledger.served(), 2U);
        EXPECT_LE(emptied.get(), 1);
    }
}

}  // namespace
}  // namespace holdfast
