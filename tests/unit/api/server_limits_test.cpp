// What clients can make the supervisor keep, and how those that do not read are dealt with.

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
constexpr std::string_view restart_unheard = "POST /v1/restart?wait=no HTTP/1.1\r\nContent-Length: 0\r\n\r\n";

std::string post(const std::string& path, const std::string& body = {}) {
    return "POST " + path + " HTTP/1.1\r\nHost: h\r\nContent-Length: " + std::to_string(body.size()) + "\r\n\r\n" +
           body;
}

const std::string long_header = "\r\nX: " + std::string(7000, 'x');
constexpr std::size_t at_rest = 2 * 1024;
constexpr std::size_t crowd_size = 48;

class ServerLimitsTest : public ServerTest {
  protected:
    // What each of a crowd costs that sends this and gets that far; a first one has been there before.
    std::size_t cost_of_each(const std::string& request, const std::function<bool(RawClient&)>& is_far_enough) {
        std::deque<RawClient> crowd;
        std::size_t before = 0;
        for (std::size_t number = 0; number <= crowd_size; ++number) {
            crowd.push_back(ask(request));
            run_until([&] { return is_far_enough(crowd.back()); });
            crowd.back().forget_received();
            handlers_run_within(1ms);  // what it left behind: a cancelled timer
            if (number == 0) before = counted_memory();
        }
        return (counted_memory() - before) / crowd_size;
    }
};

TEST_F(ServerLimitsTest, AConnectionThatIsKeptAliveForgetsHowLongItsRequestWas) {
    start();
    const auto is_answered = [](RawClient& client) { return client.is_answered(); };
    EXPECT_LT(cost_of_each(std::string(get_status), is_answered), at_rest);
    EXPECT_LT(cost_of_each(post("/v1/scale", std::string(60'000, 'x')), is_answered), at_rest);
    EXPECT_LT(cost_of_each("GET /v1/status HTTP/1.1" + long_header + "\r\n\r\n", is_answered), at_rest);
}

TEST_F(ServerLimitsTest, OneThatWaitsForItsOutcomeForgetsHowLongItsRequestWas) {
    start();
    requests_.reserve(2 * crowd_size);
    std::size_t asked = 0;
    const std::string long_one = "POST /v1/restart HTTP/1.1" + long_header + "\r\nContent-Length: 0\r\n\r\n";
    EXPECT_LT(cost_of_each(long_one, [&](RawClient&) { return requests_.size() > asked && ++asked > 0; }), at_rest);
}

TEST_F(ServerLimitsTest, WhoDoesNotReadItsAnswerIsCutOffAndNobodyElseWaits) {
    start({.max_unread_bytes = 64 << 20, .io_timeout = 50ms});
    history_ = {std::string(4 << 20, 'x')};
    const RawClient slow = ask(get_history);
    EXPECT_THAT(answer_to(get_history), StartsWith("HTTP/1.1 200 "));
    run_until([&] { return slow.is_cut_off(); });
    EXPECT_THAT(answer_to(get_history), StartsWith("HTTP/1.1 200 "));
}

TEST_F(ServerLimitsTest, ThoseThatDoNotReadTheirAnswersAreNeverOwedMuchInAll) {
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
    EXPECT_FALSE(slow.back().is_cut_off()) << "who came last has the most time left";
    EXPECT_THAT(answer_to(get_history), StartsWith("HTTP/1.1 200 "));
    EXPECT_FALSE(slow[18].is_cut_off()) << "one that reads takes nobody's place for long";
}

TEST_F(ServerLimitsTest, AnAnswerOfAnySizeIsLetOut) {
    start({.max_unread_bytes = 1000});
    history_ = {std::string(1 << 20, 'x')};
    RawClient client = ask(get_history);
    run_until([&] { return client.is_answered(); });
}

TEST_F(ServerLimitsTest, AStreamThatIsNotReadCostsTwoQueuesAndTakesNothingFromTheOthers) {
    start({.event_queue_bytes = 64 * 1024});
    const RawClient slow = ask(get_events);
    RawClient attentive = ask(get_events);
    run_until([&] { return subscribers_.size() == 2; });
    const std::string event = "{\"text\":\"" + std::string(1000, 'x') + "\"}";
    const std::size_t before = counted_memory();
    for (int number = 0; number < 3000; ++number) {
        emit(event);
        io_.restart();
        io_.poll();
        ASSERT_THAT(attentive.received(), testing::EndsWith(event + "\n\n")) << number;
        attentive.forget_received();
        EXPECT_LT(counted_memory(), before + 4 * 64 * 1024);
    }
}

TEST_F(ServerLimitsTest, AStreamThatHasBeenReadKeepsNothingOfABurst) {
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

TEST_F(ServerLimitsTest, TheHundredAndTwentyNinthThatWouldWaitIsToldSoAndChangesNothing) {
    start();
    std::deque<RawClient> waiting;
    for (std::size_t number = 1; number <= 128; ++number) {
        waiting.push_back(ask(post("/v1/restart")));
        run_until([&] { return requests_.size() == number; });
    }
    const std::string refused = answer_to(post("/v1/restart"));
    EXPECT_THAT(refused, StartsWith("HTTP/1.1 503 "));
    EXPECT_THAT(refused, HasSubstr("128 clients wait for an outcome already, and nothing was changed"));
    EXPECT_THAT(refused, HasSubstr("--no-wait"));
    EXPECT_EQ(requests_.size(), 128U);
    EXPECT_THAT(answer_to(get_status), StartsWith("HTTP/1.1 200 "));
    EXPECT_THAT(answer_to(restart_unheard), StartsWith("HTTP/1.1 202 "));
    // What somebody needs who has had enough of them all.
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

TEST_F(ServerLimitsTest, ChangesWithoutAnOutcomeAreBoundedThoughNobodyWaitsForThem) {
    start({.pending_changes = 3});
    answer_to(restart_unheard);
    RawClient gone = ask(post("/v1/restart"));
    run_until([&] { return requests_.size() == 2; });
    gone.hang_up();
    answer_to(restart_unheard);
    const std::string refused = answer_to(restart_unheard);
    EXPECT_THAT(refused, StartsWith("HTTP/1.1 503 "));
    EXPECT_THAT(refused, HasSubstr("3 requests have no outcome yet, and nothing was changed"));
    EXPECT_EQ(requests_.size(), 3U);
    EXPECT_THAT(answer_to(post("/v1/undo?wait=no")), StartsWith("HTTP/1.1 202 "));

    for (PendingRequest& pending : requests_) pending.answer({});
    EXPECT_THAT(answer_to(restart_unheard), StartsWith("HTTP/1.1 202 "));
    answer_to(restart_unheard);
    answer_to(restart_unheard);
    requests_.clear();  // never to be answered
    EXPECT_THAT(answer_to(restart_unheard), StartsWith("HTTP/1.1 202 "));
}

}  // namespace
}  // namespace holdfast::api
