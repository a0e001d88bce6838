// The memory that clients can make the supervisor use, and the eviction of clients that do not read.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <deque>

#include "api_fixture.hpp"
#include "counted_memory.hpp"

namespace holdfast::api {
namespace {

using namespace std::chrono_literals;
using testing::HasSubstr;
using testing::StartsWith;

constexpr std::string_view get_history = "GET /v1/history HTTP/1.1\r\nHost: h\r\n\r\n";
constexpr std::string_view restart_no_wait = "POST /v1/restart?wait=no HTTP/1.1\r\nContent-Length: 0\r\n\r\n";

std::string post(const std::string& path, const std::string& body = {}) {
    return "POST " + path + " HTTP/1.1\r\nHost: h\r\nContent-Length: " + std::to_string(body.size()) + "\r\n\r\n" +
           body;
}

const std::string long_header = "\r\nX: " + std::string(7000, 'x');
constexpr std::size_t idle_bytes = 2 * 1024;
constexpr std::size_t client_count = 48;

class ServerLimitsTest : public ServerTest {
  protected:
    // Average memory of a connection that has sent the request and reached the condition. The first connection is not
    // counted, because it allocates what all share.
    std::size_t memory_of_each(const std::string& request, const std::function<bool(RawClient&)>& condition) {
        std::deque<RawClient> clients;
        std::size_t before = 0;
        for (std::size_t number = 0; number <= client_count; ++number) {
            clients.push_back(ask(request));
            run_until([&] { return condition(clients.back()); });
            clients.back().forget_received();
            handlers_run_within(1ms);  // the handler of the request's cancelled timer
            if (number == 0) before = counted_memory();
        }
        return (counted_memory() - before) / client_count;
    }
};

TEST_F(ServerLimitsTest, AKeepAliveConnectionReleasesTheMemoryOfItsRequest) {
    start();
    const auto is_answered = [](RawClient& client) { return client.is_answered(); };
    EXPECT_LT(memory_of_each(std::string(get_status), is_answered), idle_bytes);
    EXPECT_LT(memory_of_each(post("/v1/scale", std::string(60'000, 'x')), is_answered), idle_bytes);
    EXPECT_LT(memory_of_each("GET /v1/status HTTP/1.1" + long_header + "\r\n\r\n", is_answered), idle_bytes);
}

TEST_F(ServerLimitsTest, AConnectionThatWaitsForAnOutcomeReleasesTheMemoryOfItsRequest) {
    start();
    requests_.reserve(2 * client_count);
    std::size_t submitted = 0;
    const auto is_submitted = [&](RawClient&) { return requests_.size() > submitted && ++submitted > 0; };
    const std::string long_request = "POST /v1/restart HTTP/1.1" + long_header + "\r\nContent-Length: 0\r\n\r\n";
    EXPECT_LT(memory_of_each(long_request, is_submitted), idle_bytes);
}

TEST_F(ServerLimitsTest, ClosesAClientThatDoesNotReadAndAnswersTheOthers) {
    start({.max_unread_bytes = 64 << 20, .io_timeout = 50ms});
    history_ = {std::string(4 << 20, 'x')};
    const RawClient slow = ask(get_history);
    EXPECT_THAT(answer_to(get_history), StartsWith("HTTP/1.1 200 "));
    run_until([&] { return slow.is_cut_off(); });
    EXPECT_THAT(answer_to(get_history), StartsWith("HTTP/1.1 200 "));
}

TEST_F(ServerLimitsTest, ClosesTheSlowestReadersAtTheLimitOfUnreadBytes) {
    start({.max_unread_bytes = 7 << 20});
    history_ = {std::string(1 << 20, 'x')};
    answer_to(get_history);
    const std::size_t before = counted_memory();
    std::deque<RawClient> slow;
    for (int number = 0; number < 20; ++number) {
        slow.push_back(ask(get_history));
        io_.restart();
        io_.poll();
        EXPECT_LT(counted_memory(), before + (10U << 20));
    }
    run_until([&] { return slow[16].is_cut_off(); });
    EXPECT_FALSE(slow.back().is_cut_off()) << "the newest response is closed last";
    EXPECT_THAT(answer_to(get_history), StartsWith("HTTP/1.1 200 "));
    EXPECT_FALSE(slow[18].is_cut_off()) << "a client that reads counts only for a moment";
}

TEST_F(ServerLimitsTest, SendsASingleResponseOfAnySize) {
    start({.max_unread_bytes = 1000});
    history_ = {std::string(1 << 20, 'x')};
    RawClient client = ask(get_history);
    run_until([&] { return client.is_answered(); });
}

TEST_F(ServerLimitsTest, AnUnreadEventStreamUsesTwoQueuesAndDoesNotDelayTheOthers) {
    start({.event_queue_bytes = 64 * 1024});
    const RawClient slow = ask(get_events);
    RawClient fast = ask(get_events);
    run_until([&] { return subscribers_.size() == 2; });
    const std::string event = "{\"text\":\"" + std::string(1000, 'x') + "\"}";
    const std::size_t before = counted_memory();
    for (int number = 0; number < 3000; ++number) {
        emit(event);
        io_.restart();
        io_.poll();
        ASSERT_THAT(fast.received(), testing::EndsWith(event + "\n\n")) << number;
        fast.forget_received();
        EXPECT_LT(counted_memory(), before + 4 * 64 * 1024);
    }
}

TEST_F(ServerLimitsTest, AnEventStreamReleasesTheMemoryOfABurst) {
    start();
    RawClient client = ask(get_events);
    run_until([&] { return subscribers_.size() == 1; });
    client.forget_received();
    const std::size_t before = counted_memory();
    for (int number = 0; number < 250; ++number) emit(std::string(1000, 'x'));
    emit("the last");
    run_until([&] { return client.received().ends_with("the last\n\n"); });
    client.forget_received();
    handlers_run_within(1ms);
    EXPECT_LT(counted_memory(), before + 1024);
}

TEST_F(ServerLimitsTest, Rejects129thClientThatWaitsForAnOutcome) {
    start();
    std::deque<RawClient> waiting;
    for (std::size_t number = 1; number <= 128; ++number) {
        waiting.push_back(ask(post("/v1/restart")));
        run_until([&] { return requests_.size() == number; });
    }
    const std::string refused = answer_to(post("/v1/restart"));
    EXPECT_THAT(refused, StartsWith("HTTP/1.1 503 "));
    EXPECT_THAT(refused, HasSubstr("128 clients already wait for an outcome; nothing was changed"));
    EXPECT_THAT(refused, HasSubstr("--no-wait"));
    EXPECT_EQ(requests_.size(), 128U);
    EXPECT_THAT(answer_to(get_status), StartsWith("HTTP/1.1 200 "));
    EXPECT_THAT(answer_to(restart_no_wait), StartsWith("HTTP/1.1 202 "));
    // Undo and stop have a reserved share of the limit.
    const RawClient undoing = ask(post("/v1/undo")), stopping = ask(post("/v1/stop"));
    run_until([&] { return requests_.size() == 131; });
    EXPECT_TRUE(std::holds_alternative<core::Undo>(requests_[129].request.what));
    requests_[0].answer({});
    run_until([&] { return waiting[0].is_answered(); });
    waiting[1].hang_up();
    waiting[2].hang_up();
    waiting[3].hang_up();
    RawClient next = ask(post("/v1/restart"));
    run_until([&] { return requests_.size() == 132; });
    EXPECT_FALSE(next.is_answered());
}

TEST_F(ServerLimitsTest, BoundsPendingChangesEvenIfNoClientWaits) {
    start({.pending_changes = 3});
    answer_to(restart_no_wait);
    RawClient waiting = ask(post("/v1/restart"));
    run_until([&] { return requests_.size() == 2; });
    waiting.hang_up();
    answer_to(restart_no_wait);
    const std::string refused = answer_to(restart_no_wait);
    EXPECT_THAT(refused, StartsWith("HTTP/1.1 503 "));
    EXPECT_THAT(refused, HasSubstr("3 earlier requests have no outcome yet; nothing was changed"));
    EXPECT_EQ(requests_.size(), 3U);
    EXPECT_THAT(answer_to(post("/v1/undo?wait=no")), StartsWith("HTTP/1.1 202 "));

    for (PendingRequest& pending : requests_) pending.answer({});
    EXPECT_THAT(answer_to(restart_no_wait), StartsWith("HTTP/1.1 202 "));
    answer_to(restart_no_wait);
    answer_to(restart_no_wait);
    requests_.clear();  // these callbacks are never called
    EXPECT_THAT(answer_to(restart_no_wait), StartsWith("HTTP/1.1 202 "));
}

}  // namespace
}  // namespace holdfast::api
