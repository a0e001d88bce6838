#include "resource_graph.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <random>
#include <stdexcept>
#include <string>
#include <vector>

namespace holdfast {
namespace {

using Order = ResourceGraph::Order;
using Outcome = ResourceGraph::Outcome;
using ExternalUsers = ResourceGraph::ExternalUsers;
using Id = ResourceGraph::Id;
using Time = ResourceGraph::Clock::time_point;

const Time start{std::chrono::hours(1)};

User by(Id resource) { return User(User::Kind::resource, resource); }
User task(std::uint32_t id) { return User(User::Kind::task, id); }

class Graph : public ResourceGraph {
  public:
    Id add(const std::string& name, Order order = Order::free) {
        return ResourceGraph::add(
            name, [] {}, order, start);
    }

    void close(Id id) {
        begin_close(id, start);
        end_close(id, Outcome::closed);
    }

    // The order in which the resources would be closed if nothing else were held.
    std::string order() const {
        Graph copy = *this;
        std::string names;
        while (const std::optional<Id> id = copy.next({})) {
            names += (names.empty() ? "" : " ") + copy.name(*id);
            copy.close(*id);
        }
        return names;
    }

    std::vector<std::string> described(Time now = start, std::size_t most = 16) const {
        std::vector<Waiting> report;
        describe(now, most, report);
        std::vector<std::string> names;
        for (const Waiting& line : report) {
            EXPECT_EQ(line.kind, "resource");
            names.push_back(line.name);
        }
        return names;
    }
};

std::string refusal(ResourceGraph& graph, Id resource, User user) {
    try {
        graph.use(resource, user);
        return "";
    } catch (const std::logic_error& error) {
        return error.what();
    }
}

bool contains(const std::string& text, const std::string& part) { return text.find(part) != std::string::npos; }

using Lines = std::vector<std::string>;

TEST(ResourceGraph, ClosesUnusedResourcesImmediatelyAndTheLastRegisteredFirst) {
    Graph graph;
    graph.add("one");
    graph.add("two");
    const ExternalUsers all_held{true, true, true, {1}};
    EXPECT_EQ(graph.next(all_held), Id{1});
    EXPECT_EQ(graph.order(), "two one");
}

TEST(ResourceGraph, ClosesUsersBeforeTheResourcesThatTheyUse) {
    Graph graph;
    const Id pool = graph.add("pool");
    const Id cache = graph.add("cache");
    const Id index = graph.add("index");
    graph.use(index, by(cache));
    graph.use(cache, by(pool));
    EXPECT_EQ(graph.order(), "pool cache index");
}

TEST(ResourceGraph, DelaysACloseWhileAnyUserIsHeld) {
    struct Case {
        User user;
        ExternalUsers held;
        ExternalUsers others;
    };
    const std::vector<Case> cases{
        {requests, {.requests = true}, {.sessions = true, .work = true, .tasks = {7}}},
        {sessions, {.sessions = true}, {.requests = true, .work = true, .tasks = {7}}},
        {work, {.work = true}, {.requests = true, .sessions = true, .tasks = {7}}},
        {tasks, {.tasks = {8}}, {.requests = true, .sessions = true, .work = true}},
        {task(7), {.tasks = {8, 7}}, {.requests = true, .sessions = true, .work = true, .tasks = {8}}},
    };
    for (const Case& one : cases) {
        Graph graph;
        const Id pool = graph.add("pool");
        graph.use(pool, one.user);
        EXPECT_FALSE(graph.next(one.held));
        EXPECT_EQ(graph.next(one.others), pool);
        EXPECT_EQ(graph.next({}), pool);
    }
}

TEST(ResourceGraph, IgnoresAUserThatWasAddedBefore) {
    Graph graph;
    const Id pool = graph.add("pool");
    const Id cache = graph.add("cache");
    graph.use(pool, requests);
    graph.use(pool, requests);
    graph.use(pool, by(cache));
    graph.use(pool, by(cache));
    EXPECT_EQ(graph.order(), "cache pool");
}

TEST(ResourceGraph, TreatsRequestsSessionsWorkAndTasksAsUsersOfALastOne) {
    Graph graph;
    const Id pool = graph.add("pool", Order::last);
    for (const ExternalUsers& held :
         std::vector<ExternalUsers>{{.requests = true}, {.sessions = true}, {.work = true}, {.tasks = {3}}}) {
        EXPECT_FALSE(graph.next(held));
    }
    EXPECT_EQ(graph.next({}), pool);
}

TEST(ResourceGraph, ClosesALastOneAfterAllThatWereRegisteredLater) {
    Graph graph;
    graph.add("free before");
    graph.add("one", Order::last);
    graph.add("free");
    graph.add("two", Order::last);
    EXPECT_EQ(graph.order(), "two free one free before");
    graph.begin_close(3, start);
    EXPECT_EQ(graph.next({}), Id{2});
    graph.close(2);
    EXPECT_EQ(graph.next({}), Id{0}) << "one waits for two, whose close still runs";
    graph.end_close(3, Outcome::closed);
    EXPECT_EQ(graph.next({}), Id{1});
}

TEST(ResourceGraph, PrefersUsesToTheReverseOrder) {
    Graph graph;
    graph.add("one", Order::last);
    const Id two = graph.add("two", Order::last);
    graph.use(two, by(0));
    EXPECT_EQ(graph.order(), "one two");
}

TEST(ResourceGraph, ClosesEverythingIfOrderAndIndirectUsesContradict) {
    Graph graph;
    const Id first = graph.add("first", Order::last);
    graph.add("middle", Order::last);
    const Id late = graph.add("late");
    graph.use(late, by(first));  // first waits for middle, middle for late, late for first
    EXPECT_EQ(graph.order(), "middle first late");
}

TEST(ResourceGraph, RejectsACycleOfOne) {
    Graph graph;
    const Id pool = graph.add("pool");
    const std::string why = refusal(graph, pool, by(pool));
    EXPECT_TRUE(contains(why, "pool uses pool")) << why;
    EXPECT_FALSE(contains(why, "pool uses pool uses pool")) << why;
    EXPECT_EQ(graph.order(), "pool");
}

TEST(ResourceGraph, RejectsACycleOfTwoAndNamesItInTheOrderOfUse) {
    Graph graph;
    const Id a = graph.add("a");
    const Id b = graph.add("b");
    graph.use(a, by(b));
    const std::string why = refusal(graph, b, by(a));
    EXPECT_TRUE(contains(why, "(a uses b uses a)")) << why;
    EXPECT_EQ(graph.order(), "b a");
}

TEST(ResourceGraph, RejectsACycleOfFiveWithoutAChange) {
    Graph graph;
    for (const char* name : {"a", "b", "c", "d", "e"}) {
        graph.add(name);
    }
    for (Id id = 0; id + 1 < 5; ++id) {
        graph.use(id + 1, by(id));
    }
    const std::string why = refusal(graph, 0, by(4));
    EXPECT_TRUE(contains(why, "(e uses a uses b uses c uses d uses e)")) << why;
    EXPECT_EQ(graph.order(), "a b c d e");
}

TEST(ResourceGraph, RejectsAUserOnceTheCloseHasBegun) {
    Graph graph;
    const Id pool = graph.add("pool");
    graph.begin_close(pool, start);
    EXPECT_TRUE(contains(refusal(graph, pool, requests), "\"pool\""));
    graph.end_close(pool, Outcome::closed);
    EXPECT_TRUE(contains(refusal(graph, pool, requests), "its close has begun"));
}

TEST(ResourceGraph, RejectsAnUnknownResource) {
    Graph graph;
    const Id pool = graph.add("pool");
    EXPECT_TRUE(contains(refusal(graph, pool, by(9)), "id 9"));
    EXPECT_EQ(graph.order(), "pool");
}

TEST(ResourceGraph, ReturnsTheCloseToCall) {
    ResourceGraph graph;
    int calls = 0;
    const Id pool = graph.add(
        "pool", [&] { ++calls; }, Order::free, start);
    graph.begin_close(pool, start)();
    EXPECT_EQ(calls, 1);
    EXPECT_FALSE(graph.next({}));
    EXPECT_EQ(graph.open_count(), 1U);
    graph.end_close(pool, Outcome::closed);
    EXPECT_EQ(graph.open_count(), 0U);
    EXPECT_TRUE(graph.is_all_closed());
}

TEST(ResourceGraph, ReportsACloseAsOverdueOnceAfterItsTimeout) {
    using namespace std::chrono_literals;
    Graph graph;
    const Id slow = graph.add("slow");
    const Id quick = graph.add("quick");
    graph.set_close_period(slow, 10s);
    EXPECT_FALSE(graph.next_deadline());
    graph.begin_close(slow, start);
    graph.begin_close(quick, start + 1s);
    EXPECT_EQ(graph.next_deadline(), start + 6s) << "5 s by default";
    EXPECT_TRUE(graph.take_overdue(start + 6s - 1ns).empty());
    EXPECT_EQ(graph.take_overdue(start + 6s), std::vector<Id>{quick});
    EXPECT_TRUE(graph.take_overdue(start + 7s).empty());
    EXPECT_EQ(graph.next_deadline(), start + 10s);
    graph.end_close(slow, Outcome::closed);
    EXPECT_TRUE(graph.take_overdue(start + 1h).empty());
    EXPECT_FALSE(graph.next_deadline());
    EXPECT_EQ(graph.open_count(), 1U);
    graph.end_close(quick, Outcome::closed);
    EXPECT_TRUE(graph.is_all_closed());
}

TEST(ResourceGraph, AcceptsAnUnlimitedTimeout) {
    Graph graph;
    const Id pool = graph.add("pool");
    graph.set_close_period(pool, std::chrono::milliseconds::max());
    graph.begin_close(pool, start);
    EXPECT_TRUE(graph.take_overdue(start + std::chrono::hours(24 * 365)).empty());
    graph.set_close_period(pool, std::chrono::milliseconds(-1));
    EXPECT_EQ(graph.take_overdue(start), std::vector<Id>{pool});
}

TEST(ResourceGraph, DelaysWhatAHangingResourceUsesButNotWhatWasRegisteredEarlier) {
    Graph graph;
    graph.add("first", Order::last);
    const Id used = graph.add("used", Order::last);
    const Id hangs = graph.add("hangs");
    graph.use(used, by(hangs));
    graph.begin_close(hangs, start);
    EXPECT_FALSE(graph.next({}));
    graph.take_overdue(start + std::chrono::hours(1));
    EXPECT_EQ(graph.next({}), Id{0}) << "not delayed by the resource that the hanging one uses either";
    graph.close(0);
    EXPECT_FALSE(graph.next({}));
    graph.end_close(hangs, Outcome::closed);
    EXPECT_EQ(graph.next({}), used);
}

TEST(ResourceGraph, CountsACloseThatThrewAsClosed) {
    Graph graph;
    graph.add("first", Order::last);
    const Id used = graph.add("used");
    const Id throws = graph.add("throws");
    graph.use(used, by(throws));
    graph.begin_close(throws, start);
    graph.end_close(throws, Outcome::threw);
    EXPECT_EQ(graph.open_count(), 2U);
    EXPECT_EQ(graph.order(), "used first");
}

TEST(ResourceGraph, ReportsOpenResourcesInTheOrderOfTheirCloses) {
    Graph graph;
    const Id pool = graph.add("pool", Order::last);
    const Id cache = graph.add("cache");
    const Id index = graph.add("index");
    const Id log = graph.add("log");
    graph.use(index, by(cache));
    graph.use(index, requests);
    EXPECT_EQ(graph.described(), (Lines{"log", "cache", "index (used by cache)", "pool"}));
    EXPECT_EQ(graph.described(start, 2), (Lines{"log", "cache"}));
    EXPECT_EQ(graph.described(start, 0), Lines{});
    graph.begin_close(cache, start);
    EXPECT_EQ(graph.described(), (Lines{"cache (closing)", "log", "index (used by cache)", "pool"}));
    graph.take_overdue(start + std::chrono::hours(1));
    graph.close(log);
    EXPECT_EQ(graph.described(), (Lines{"cache (its close hangs)", "index (used by cache)", "pool"}));
    graph.end_close(cache, Outcome::threw);
    EXPECT_EQ(graph.described(), (Lines{"cache (its close threw)", "index", "pool"}));
    graph.close(index);
    graph.close(pool);
    EXPECT_EQ(graph.described(), Lines{"cache (its close threw)"});
}

TEST(ResourceGraph, ReportsTheUserThatHangs) {
    Graph graph;
    const Id pool = graph.add("pool");
    const Id waits = graph.add("waits");
    const Id hangs = graph.add("hangs");
    graph.use(pool, by(waits));
    graph.use(pool, by(hangs));
    graph.begin_close(hangs, start);
    graph.take_overdue(start + std::chrono::hours(1));
    EXPECT_EQ(graph.described(), (Lines{"hangs (its close hangs)", "waits", "pool (used by hangs)"}));
}

TEST(ResourceGraph, ReportsAgesSinceTheRegistrationOrTheStartOfTheClose) {
    using namespace std::chrono_literals;
    Graph graph;
    const Id pool = graph.add("pool");
    std::vector<Waiting> report;
    graph.describe(start + 3s, 16, report);
    graph.begin_close(pool, start + 4s);
    graph.describe(start + 5s, 16, report);
    graph.describe(start, 16, report);
    ASSERT_EQ(report.size(), 3U);
    EXPECT_EQ(report[0].age_usec, 3'000'000);
    EXPECT_EQ(report[1].age_usec, 1'000'000);
    EXPECT_EQ(report[2].age_usec, 0) << "the clock was read before the close began";
}

TEST(ResourceGraph, ReportsTheStateEvenForANameAtTheLimit) {
    Graph graph;
    const Id pool = graph.add(std::string(max_name_bytes, 'p'));
    const Id cache = graph.add(std::string(max_name_bytes, 'c'));
    graph.use(pool, by(cache));
    graph.begin_close(cache, start);
    for (const std::string& line : graph.described()) {
        EXPECT_EQ(line.size(), max_name_bytes);
        EXPECT_EQ(line.back(), ')');
        EXPECT_NE(line.find(" ("), std::string::npos);
    }
}

}  // namespace
}  // namespace holdfast
