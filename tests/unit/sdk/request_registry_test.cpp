#include "request_registry.hpp"

#include <gtest/gtest.h>
#include <time.h>

#include <array>
#include <atomic>
#include <memory>
#include <set>
#include <string>
#include <thread>
#include <vector>

#include "request_registry_support.hpp"

namespace holdfast {
namespace {

TEST(RequestRegistry, CountsWhatIsHeldAndWhatWasServed) {
    const auto registry = make_registry();
    RequestRegistry::Slot* one = registry->begin("one");
    RequestRegistry::Slot* two = registry->begin("two");
    EXPECT_EQ(registry->held(), 2U);
    EXPECT_EQ(registry->served(), 0U);
    RequestRegistry::end(one);
    EXPECT_EQ(registry->held(), 1U);
    EXPECT_EQ(registry->served(), 1U);
    EXPECT_EQ(names(*registry), std::multiset<std::string>{"two"});
    RequestRegistry::end(two);
    EXPECT_EQ(registry->held(), 0U);
    EXPECT_EQ(registry->served(), 2U);
    EXPECT_TRUE(described(*registry).empty());
}

TEST(RequestRegistry, ReportsNamesOfAllLengthsUpToTheLimit) {
    const auto registry = make_registry();
    std::vector<RequestGuard> held;
    std::multiset<std::string> expected;
    for (std::size_t length = 0; length <= max_name_bytes; ++length) {
        std::string name;
        while (name.size() < length) {
            name += static_cast<char>('!' + (length * 7 + name.size()) % 90);
        }
        held.emplace_back(registry->begin(name));
        expected.insert(name);
    }
    EXPECT_EQ(names(*registry), expected);
}

TEST(RequestRegistry, TruncatesALongNameBetweenCharacters) {
    const auto registry = make_registry();
    const std::string fits(max_name_bytes - 1, 'a');
    const RequestGuard request(registry->begin(fits + "é"));
    EXPECT_EQ(names(*registry), std::multiset<std::string>{fits});
}

TEST(RequestRegistry, CopiesTheName) {
    const auto registry = make_registry();
    std::string name = "GET /report";
    const RequestGuard request(registry->begin(name));
    name.assign(name.size(), 'x');
    EXPECT_EQ(names(*registry), std::multiset<std::string>{"GET /report"});
}

// Ages have the resolution of the kernel's tick: waits for the next tick, so that a later request is younger.
void wait_for_a_tick() {
    timespec before{};
    timespec now{};
    ::clock_gettime(CLOCK_MONOTONIC_COARSE, &before);
    do {
        ::clock_gettime(CLOCK_MONOTONIC_COARSE, &now);
    } while (now.tv_sec == before.tv_sec && now.tv_nsec == before.tv_nsec);
}

TEST(RequestRegistry, ReportsTheOldestRequestsInOrderWithTheirAges) {
    const auto registry = make_registry();
    std::vector<RequestGuard> held;
    for (int number = 0; number < 10; ++number) {
        held.emplace_back(registry->begin(std::to_string(number)));
        wait_for_a_tick();
    }
    held.erase(held.begin() + 1);
    const std::vector<Waiting> report = described(*registry, 3);
    ASSERT_EQ(report.size(), 3U);
    EXPECT_EQ(report[0].name + report[1].name + report[2].name, "023");
    EXPECT_GT(report[0].age_usec, report[1].age_usec);
    EXPECT_GT(report[1].age_usec, report[2].age_usec);
    EXPECT_GT(report[2].age_usec, 0);
    EXPECT_EQ(report[0].kind, "request");
    EXPECT_TRUE(described(*registry, 0).empty());
}

TEST(RequestRegistry, ReportsNoNegativeAges) {
    const auto registry = make_registry();
    const RequestGuard request(registry->begin("young"));
    std::vector<Waiting> report;
    registry->describe(RequestRegistry::Clock::time_point{}, 16, report);
    ASSERT_EQ(report.size(), 1U);
    EXPECT_EQ(report[0].age_usec, 0);
}

TEST(RequestRegistry, ClosesOnlyWhenEmptyAndThenRejectsRequests) {
    const auto registry = make_registry();
    RequestRegistry::Slot* request = registry->begin("one");
    EXPECT_EQ(registry->close_if_empty(), RequestRegistry::Closed::no);
    RequestRegistry::end(request);
    EXPECT_EQ(registry->close_if_empty(), RequestRegistry::Closed::yes);
    EXPECT_EQ(registry->close_if_empty(), RequestRegistry::Closed::yes);
    EXPECT_EQ(registry->begin("two"), nullptr);
    EXPECT_EQ(registry->held(), 0U);
    EXPECT_EQ(registry->served(), 1U);
    EXPECT_TRUE(described(*registry).empty());
}

TEST(RequestRegistry, CallsWhenEmptyOnlyWhileWatched) {
    int calls = 0;
    RequestRegistry registry([&] { ++calls; });
    RequestRegistry::end(registry.begin("unwatched"));
    EXPECT_EQ(calls, 0);
    registry.watch(RequestRegistry::Watch::on);
    RequestRegistry::Slot* one = registry.begin("one");
    RequestRegistry::Slot* two = registry.begin("two");
    RequestRegistry::end(one);
    EXPECT_EQ(calls, 0);
    RequestRegistry::end(two);
    EXPECT_EQ(calls, 1);
    registry.watch(RequestRegistry::Watch::off);
    RequestRegistry::end(registry.begin("unwatched"));
    EXPECT_EQ(calls, 1);
}

TEST(RequestRegistry, CallsWhenEmptyOnTheThreadThatEndedTheLastRequest) {
    std::thread::id called_on;
    RequestRegistry registry([&] { called_on = std::this_thread::get_id(); });
    registry.watch(RequestRegistry::Watch::on);
    RequestRegistry::Slot* request = registry.begin("one");
    std::thread other([&] { RequestRegistry::end(request); });
    const std::thread::id expected = other.get_id();
    other.join();
    EXPECT_EQ(called_on, expected);
}

TEST(RequestRegistry, DoesNotCallWhenEmptyForARejectedRequest) {
    int calls = 0;
    RequestRegistry registry([&] { ++calls; });
    registry.watch(RequestRegistry::Watch::on);
    ASSERT_EQ(registry.close_if_empty(), RequestRegistry::Closed::yes);
    EXPECT_EQ(registry.begin("late"), nullptr);
    EXPECT_EQ(calls, 0);
}

TEST(RequestRegistry, MayBeDestroyedBeforeItsRequests) {
    for (const bool has_pool : {true, false}) {
        auto registry = make_registry();
        RequestRegistry::Slot* request = nullptr;
        std::thread([&] { request = registry->begin("long"); }).join();
        RequestRegistry::Slot* own = has_pool ? registry->begin("own") : nullptr;
        registry.reset();
        if (own != nullptr) {
            RequestRegistry::end(own);
        }
        RequestRegistry::end(request);
    }
}

TEST(RequestRegistry, DoesNotCallWhenEmptyAfterItsDestruction) {
    int calls = 0;
    auto registry = std::make_unique<RequestRegistry>([&] { ++calls; });
    registry->watch(RequestRegistry::Watch::on);
    RequestRegistry::Slot* request = registry->begin("long");
    registry.reset();
    RequestRegistry::end(request);
    EXPECT_EQ(calls, 0);
}

TEST(RequestRegistry, MayBeDestroyedByWhenEmpty) {
    std::unique_ptr<RequestRegistry> registry;
    registry = std::make_unique<RequestRegistry>([&] { registry.reset(); });
    registry->watch(RequestRegistry::Watch::on);
    RequestRegistry::end(registry->begin("last"));
    EXPECT_EQ(registry, nullptr);
}

TEST(RequestRegistry, KeepsWhenEmptyAliveDuringTheCallOnAThreadWithoutAPool) {
    std::unique_ptr<RequestRegistry> registry;
    std::string copied;
    registry = std::make_unique<RequestRegistry>(
        [&copied, &registry, text = std::string("on the heap, and valid during the call")] {
            registry.reset();
            copied = text;
        });
    registry->watch(RequestRegistry::Watch::on);
    RequestRegistry::Slot* request = nullptr;
    std::thread([&] { request = registry->begin("last"); }).join();
    std::thread([&] { RequestRegistry::end(request); }).join();
    EXPECT_EQ(copied, "on the heap, and valid during the call");
}

TEST(RequestRegistry, MayBeDestroyedWhileTheLastRequestEnds) {
    for (int round = 0; round < 1'000; ++round) {
        auto owner = std::make_shared<Counter>();
        auto registry = std::make_unique<RequestRegistry>([weak = std::weak_ptr<Counter>(owner)] {
            if (const std::shared_ptr<Counter> alive = weak.lock()) {
                alive->add();
            }
        });
        registry->watch(RequestRegistry::Watch::on);
        RequestRegistry::Slot* request = nullptr;
        std::thread([&] { request = registry->begin("last"); }).join();
        std::atomic<bool> go = false;
        std::thread ender([&] {
            go.wait(false);
            RequestRegistry::end(request);
        });
        go = true;
        go.notify_one();
        registry.reset();
        owner.reset();
        ender.join();
    }
}

TEST(RequestRegistry, MayBeUsedInTurnsWithOthersByAThread) {
    const auto one = make_registry();
    auto other = make_registry();
    for (int round = 0; round < 100; ++round) {
        RequestRegistry::Slot* in_one = one->begin("one");
        RequestRegistry::Slot* in_other = other->begin("other");
        EXPECT_EQ(names(*one), std::multiset<std::string>{"one"});
        EXPECT_EQ(names(*other), std::multiset<std::string>{"other"});
        RequestRegistry::end(in_one);
        RequestRegistry::end(in_other);
    }
    EXPECT_EQ(one->served(), 100U);
    EXPECT_EQ(other->served(), 100U);
    other.reset();
    RequestRegistry::end(one->begin("one"));
    EXPECT_EQ(one->served(), 101U);
}

}  // namespace
}  // namespace holdfast
