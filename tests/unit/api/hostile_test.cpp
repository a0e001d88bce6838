#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <deque>

#include "api_fixture.hpp"

namespace holdfast::api {
namespace {

using namespace std::chrono_literals;
using testing::HasSubstr;
using testing::StartsWith;

TEST_F(ServerTest, StreamsTheEvents) {
    start();
    RawClient client = connect();
    client.send(get_events);
    run_until([&] { return subscribers_.size() == 1; });
    emit(R"({"event":"a"})");
    emit("{\"event\":\"b\"}\n");
    run_until([&] { return client.received().ends_with("\"b\"}\n\n"); });
    EXPECT_THAT(client.received(), HasSubstr("\r\n\r\n: "));
    EXPECT_THAT(client.received(), HasSubstr("\n\ndata: {\"event\":\"a\"}\n\ndata: {\"event\":\"b\"}\n\n"));
    handlers_run_within(10ms);  // the handler of the request's cancelled timer
    EXPECT_EQ(handlers_run_within(50ms), 0U);
    client.hang_up();
    run_until([&] { return subscribers_.empty(); });
}

TEST_F(ServerTest, DropsAndCountsEventsForAClientThatDoesNotRead) {
    start({.event_streams = 1, .event_queue_bytes = 4096});
    RawClient client = connect();
    client.send(get_events);
    run_until([&] { return subscribers_.size() == 1; });
    const std::string event = "{\"event\":\"" + std::string(1000, 'x') + "\"}";
    for (int number = 0; number < 2000; ++number) {
        emit(event);
        io_.restart();
        io_.poll();
    }
    run_until([&] { return client.received().find("events_dropped") != std::string::npos; });
    std::size_t received = 0;
    for (std::size_t at = 0; (at = client.received().find("xx\"}\n", at)) != std::string::npos; ++at) ++received;
    const std::size_t mark = client.received().find("\"count\":");
    ASSERT_NE(mark, std::string::npos);
    EXPECT_EQ(received + std::stoul(client.received().substr(mark + 8)), 2000U);
}

TEST_F(ServerTest, EvictsAStalledEventStreamAtTheLimit) {
    start({.event_streams = 1, .event_queue_bytes = 4096});
    RawClient first = connect();
    first.send(get_events);
    run_until([&] { return subscribers_.size() == 1; });
    EXPECT_THAT(answer_to(get_events), StartsWith("HTTP/1.1 503 "));
    for (int number = 0; number < 2000; ++number) {
        emit(std::string(1000, 'x'));
        io_.restart();
        io_.poll();
    }
    RawClient second = connect();
    second.send(get_events);
    run_until([&] { return second.received().starts_with("HTTP/1.1 200 "); });
    EXPECT_EQ(subscribers_.size(), 1U);
}

TEST_F(ServerTest, EvictsIdleConnectionsButNotOneThatWaitsForAnOutcome) {
    start({.connections = 8, .min_idle = 1ms});
    RawClient waiting = connect();
    waiting.send(post_restart);
    run_until([&] { return requests_.size() == 1; });
    std::deque<RawClient> idle;
    for (int number = 0; number < 40; ++number) {
        idle.push_back(connect());
        idle.back().send("GET /v1/sta");
    }
    EXPECT_THAT(answer_to(get_status), StartsWith("HTTP/1.1 200 "));
    EXPECT_TRUE(idle.front().is_ended());
    EXPECT_FALSE(waiting.is_ended());
    requests_[0].answer({});
    run_until([&] { return waiting.is_answered(); });
}

TEST_F(ServerTest, EvictsNoConnectionWithoutANewOne) {
    start({.connections = 2, .min_idle = 1ms});
    RawClient first = connect(), second = connect();
    handlers_run_within(50ms);
    EXPECT_FALSE(first.is_ended());
    EXPECT_FALSE(second.is_ended());
    EXPECT_EQ(handlers_run_within(50ms), 0U);
}

}  // namespace
}  // namespace holdfast::api
