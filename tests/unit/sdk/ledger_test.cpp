#include "ledger.hpp"

#include <gtest/gtest.h>
#include <time.h>

#include <array>
#include <atomic>
#include <memory>
#include <set>
#include <string>
#include <thread>
#include <vector>

#include "ledger_support.hpp"

namespace holdfast {
namespace {

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

}  // namespace
}  // namespace holdfast
