#include "ledger.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <condition_variable>
#include <deque>
#include <memory>
#include <mutex>
#include <optional>
#include <random>
#include <set>
#include <string>
#include <thread>
#include <utility>

#include "ledger_core.hpp"

namespace holdfast {
namespace {

constexpr std::size_t everything = 1'000'000;

std::unique_ptr<Ledger> make_ledger() {
    return std::make_unique<Ledger>([] {});
}

std::vector<Waiting> described(const Ledger& ledger, std::size_t most = everything) {
    std::vector<Waiting> report;
    ledger.describe(Ledger::Clock::now(), most, report);
    return report;
}

std::multiset<std::string> names(const Ledger& ledger, std::size_t most = everything) {
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

TEST(Ledger, CountsWhatIsHeldAndWhatWasServed) {
    const auto ledger = make_ledger();
    Ledger::Slot* one = ledger->begin("one");
    Ledger::Slot* two = ledger->begin("two");
    EXPECT_EQ(ledger->held(), 2U);
    EXPECT_EQ(ledger->served(), 0U);
    Ledger::end(one);
    EXPECT_EQ(ledger->held(), 1U);
    EXPECT_EQ(ledger->served(), 1U);
    EXPECT_EQ(names(*ledger), std::multiset<std::string>{"two"});
    Ledger::end(two);
    EXPECT_EQ(ledger->held(), 0U);
    EXPECT_EQ(ledger->served(), 2U);
    EXPECT_TRUE(described(*ledger).empty());
}

TEST(Ledger, ShowsNamesOfAllLengthsUpToTheLimit) {
    const auto ledger = make_ledger();
    std::vector<Holding> held;
    std::multiset<std::string> expected;
    for (std::size_t length = 0; length <= max_name_bytes; ++length) {
        std::string name;
        while (name.size() < length) {
            name += static_cast<char>('!' + (length * 7 + name.size()) % 90);
        }
        held.emplace_back(ledger->begin(name));
        expected.insert(name);
    }
    EXPECT_EQ(names(*ledger), expected);
}

TEST(Ledger, CutsALongNameNotInsideACharacter) {
    const auto ledger = make_ledger();
    const std::string fits(max_name_bytes - 1, 'a');
    const Holding request(ledger->begin(fits + "é"));
    EXPECT_EQ(names(*ledger), std::multiset<std::string>{fits});
}

TEST(Ledger, CopiesTheNameItWasGiven) {
    const auto ledger = make_ledger();
    std::string name = "GET /report";
    const Holding request(ledger->begin(name));
    name.assign(name.size(), 'x');
    EXPECT_EQ(names(*ledger), std::multiset<std::string>{"GET /report"});
}

// Ages have the kernel's tick, so that "older" is made sure of by waiting for the next one.
void wait_for_a_tick() {
    timespec before{};
    timespec now{};
    ::clock_gettime(CLOCK_MONOTONIC_COARSE, &before);
    do {
        ::clock_gettime(CLOCK_MONOTONIC_COARSE, &now);
    } while (now.tv_sec == before.tv_sec && now.tv_nsec == before.tv_nsec);
}

TEST(Ledger, ShowsTheOldestOnesInOrderWithTheirAges) {
    const auto ledger = make_ledger();
    std::vector<Holding> held;
    for (int number = 0; number < 10; ++number) {
        held.emplace_back(ledger->begin(std::to_string(number)));
        wait_for_a_tick();
    }
    held.erase(held.begin() + 1);
    const std::vector<Waiting> report = described(*ledger, 3);
    ASSERT_EQ(report.size(), 3U);
    EXPECT_EQ(report[0].name + report[1].name + report[2].name, "023");
    EXPECT_GT(report[0].age_usec, report[1].age_usec);
    EXPECT_GT(report[1].age_usec, report[2].age_usec);
    EXPECT_GT(report[2].age_usec, 0);
    EXPECT_EQ(report[0].kind, "request");
    EXPECT_TRUE(described(*ledger, 0).empty());
}

TEST(Ledger, AnAgeIsNeverNegative) {
    const auto ledger = make_ledger();
    const Holding request(ledger->begin("young"));
    std::vector<Waiting> report;
    ledger->describe(Ledger::Clock::time_point{}, 16, report);
    ASSERT_EQ(report.size(), 1U);
    EXPECT_EQ(report[0].age_usec, 0);
}

TEST(Ledger, ClosesOnlyWhenEmptyAndThenNothingBegins) {
    const auto ledger = make_ledger();
    Ledger::Slot* request = ledger->begin("one");
    EXPECT_EQ(ledger->close_if_empty(), Ledger::Closed::no);
    Ledger::end(request);
    EXPECT_EQ(ledger->close_if_empty(), Ledger::Closed::yes);
    EXPECT_EQ(ledger->close_if_empty(), Ledger::Closed::yes);
    EXPECT_EQ(ledger->begin("two"), nullptr);
    EXPECT_EQ(ledger->held(), 0U);
    EXPECT_EQ(ledger->served(), 1U);
    EXPECT_TRUE(described(*ledger).empty());
}

TEST(Ledger, TellsThatItIsEmptyOnlyWhileWatched) {
    int calls = 0;
    Ledger ledger([&] { ++calls; });
    Ledger::end(ledger.begin("unwatched"));
    EXPECT_EQ(calls, 0);
    ledger.watch(Ledger::Watch::on);
    Ledger::Slot* one = ledger.begin("one");
    Ledger::Slot* two = ledger.begin("two");
    Ledger::end(one);
    EXPECT_EQ(calls, 0);
    Ledger::end(two);
    EXPECT_EQ(calls, 1);
    ledger.watch(Ledger::Watch::off);
    Ledger::end(ledger.begin("unwatched"));
    EXPECT_EQ(calls, 1);
}

TEST(Ledger, TellsThatItIsEmptyOnTheThreadThatEndedTheLastRequest) {
    std::thread::id called_on;
    Ledger ledger([&] { called_on = std::this_thread::get_id(); });
    ledger.watch(Ledger::Watch::on);
    Ledger::Slot* request = ledger.begin("one");
    std::thread stranger([&] { Ledger::end(request); });
    const std::thread::id expected = stranger.get_id();
    stranger.join();
    EXPECT_EQ(called_on, expected);
}

TEST(Ledger, ARefusedRequestIsNoReasonToTellThatItIsEmpty) {
    int calls = 0;
    Ledger ledger([&] { ++calls; });
    ledger.watch(Ledger::Watch::on);
    ASSERT_EQ(ledger.close_if_empty(), Ledger::Closed::yes);
    EXPECT_EQ(ledger.begin("late"), nullptr);
    EXPECT_EQ(calls, 0);
}

TEST(Ledger, ARequestOutlivesTheLedger) {
    for (const bool has_stock : {true, false}) {
        auto ledger = make_ledger();
        Ledger::Slot* request = nullptr;
        std::thread([&] { request = ledger->begin("long"); }).join();
        Ledger::Slot* own = has_stock ? ledger->begin("own") : nullptr;
        ledger.reset();
        if (own != nullptr) {
            Ledger::end(own);
        }
        Ledger::end(request);
    }
}

TEST(Ledger, NobodyIsToldOfAnEmptyLedgerThatHasGone) {
    int calls = 0;
    auto ledger = std::make_unique<Ledger>([&] { ++calls; });
    ledger->watch(Ledger::Watch::on);
    Ledger::Slot* request = ledger->begin("long");
    ledger.reset();
    Ledger::end(request);
    EXPECT_EQ(calls, 0);
}

TEST(Ledger, TheCallMayEndTheLedger) {
    std::unique_ptr<Ledger> ledger;
    ledger = std::make_unique<Ledger>([&] { ledger.reset(); });
    ledger->watch(Ledger::Watch::on);
    Ledger::end(ledger->begin("last"));
    EXPECT_EQ(ledger, nullptr);
}

TEST(Ledger, TheCallOutlivesTheLedgerThatItEndsOnAThreadThatBeganNone) {
    std::unique_ptr<Ledger> ledger;
    std::string said;
    ledger = std::make_unique<Ledger>([&said, &ledger, words = std::string("still here, on the heap, to be read")] {
        ledger.reset();
        said = words;
    });
    ledger->watch(Ledger::Watch::on);
    Ledger::Slot* request = nullptr;
    std::thread([&] { request = ledger->begin("last"); }).join();
    std::thread([&] { Ledger::end(request); }).join();
    EXPECT_EQ(said, "still here, on the heap, to be read");
}

TEST(Ledger, TheLastRequestMayEndWhileTheLedgerGoes) {
    for (int round = 0; round < 1'000; ++round) {
        auto owner = std::make_shared<Count>();
        auto ledger = std::make_unique<Ledger>([weak = std::weak_ptr<Count>(owner)] {
            if (const std::shared_ptr<Count> alive = weak.lock()) {
                alive->add();
            }
        });
        ledger->watch(Ledger::Watch::on);
        Ledger::Slot* request = nullptr;
        std::thread([&] { request = ledger->begin("last"); }).join();
        std::atomic<bool> go = false;
        std::thread ender([&] {
            go.wait(false);
            Ledger::end(request);
        });
        go = true;
        go.notify_one();
        ledger.reset();
        owner.reset();
        ender.join();
    }
}

TEST(Ledger, AThreadMayUseSeveralLedgersInTurns) {
    const auto one = make_ledger();
    auto other = make_ledger();
    for (int round = 0; round < 100; ++round) {
        Ledger::Slot* in_one = one->begin("one");
        Ledger::Slot* in_other = other->begin("other");
        EXPECT_EQ(names(*one), std::multiset<std::string>{"one"});
        EXPECT_EQ(names(*other), std::multiset<std::string>{"other"});
        Ledger::end(in_one);
        Ledger::end(in_other);
    }
    EXPECT_EQ(one->served(), 100U);
    EXPECT_EQ(other->served(), 100U);
    other.reset();
    Ledger::end(one->begin("one"));
    EXPECT_EQ(one->served(), 101U);
}

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
