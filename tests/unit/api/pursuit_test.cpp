#include "api/pursuit.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/eventfd.h>

#include <atomic>
#include <cerrno>
#include <optional>

#include "api/client.hpp"
#include "api_fixture.hpp"
#include "threaded_supervisor.hpp"

namespace holdfast::api {

Bell::Bell() : fd_(::eventfd(0, EFD_CLOEXEC)) {}
Bell::~Bell() { ::close(fd_); }
void Bell::ring() const { EXPECT_EQ(::eventfd_write(fd_, 1), 0); }

namespace {

using namespace std::chrono_literals;
using testing::ElementsAre;
using testing::HasSubstr;

constexpr Wish restart_wish{Wish::What::restart};

class PursuitTest : public testing::Test {
  protected:
    void begin(Limits limits = {}) { supervisor_.begin(place_.listen(), limits); }
    Service service() const { return {place_.path(), {}, {}}; }

    ListeningDirectory place_;
    Bell bell_;
    std::vector<std::string> heard_;
    ThreadedSupervisor supervisor_;
};

TEST_F(PursuitTest, HearsEveryEventFromTheQuestionToTheAnswer) {
    supervisor_.asked = [&](const core::Request&, const auto& answer) {
        for (int number = 0; number < 50; ++number) {
            supervisor_.tell(R"({"event":"step","text":")" + std::to_string(number) + "\"}");
        }
        supervisor_.later([answer] { answer({core::Outcome::Result::done, "generation 2 serves", {}, 0}); });
    };
    begin();
    Ears ears;
    ears.event = [&](const EventView& event) { heard_.push_back(event.text); };
    const auto answer = pursue(service(), restart_wish, ears);
    ASSERT_TRUE(answer) << answer.error().text;
    EXPECT_EQ(answer->text, "generation 2 serves");
    ASSERT_EQ(heard_.size(), 50U);
    EXPECT_EQ(heard_.front(), "0");
    EXPECT_EQ(heard_.back(), "49");
}

TEST_F(PursuitTest, LooksAtTheStatusAgainAndAgainWhileItWaits) {
    int looks = 0, ticks = 0, seen = 0;
    std::optional<ThreadedSupervisor::Answer> waiting;
    supervisor_.asked = [&](const core::Request&, const auto& answer) { waiting = answer; };
    supervisor_.looked_at = [&](core::Status& status) {
        status.target = ++looks;
        if (looks == 3) supervisor_.later([&] { (*waiting)({}); });
    };
    begin();
    Ears ears;
    ears.look_every = 1ms;
    ears.tick = [&] { ++ticks; };
    ears.status = [&](const ServiceView& status) { seen = status.target; };
    ears.look = [&](const Service& whole) { EXPECT_THAT(whole.status_json, HasSubstr("\"name\":\"web\"")); };
    EXPECT_TRUE(pursue(service(), restart_wish, ears));
    EXPECT_GE(seen, 2);
    EXPECT_GE(ticks, 3);
}

TEST_F(PursuitTest, CarriesTheChangeOutUnheardWhereNoEventsAreTold) {
    begin({.event_streams = 0});
    Ears ears;
    ears.event = [&](const EventView& event) { heard_.push_back(event.text); };
    const auto answer = pursue(service(), restart_wish, ears);
    ASSERT_TRUE(answer) << answer.error().text;
    EXPECT_EQ(answer->result, "done");
    EXPECT_TRUE(heard_.empty());
}

TEST_F(PursuitTest, GivesUpWaitingAndTheChangeGoesOn) {
    std::optional<ThreadedSupervisor::Answer> waiting;
    supervisor_.asked = [&](const core::Request& request, const auto& answer) {
        if (std::holds_alternative<core::Undo>(request.what)) {
            (*waiting)({core::Outcome::Result::undone, {}, {}, 1});  // for nobody
            return answer({});
        }
        waiting = answer;
        bell_.ring();
    };
    begin();
    Ears ears;
    ears.event = [](const EventView&) {};
    ears.give_up_fd = bell_.fd();
    const auto answer = pursue(service(), restart_wish, ears);
    ASSERT_FALSE(answer);
    EXPECT_EQ(answer.error().code, EINTR);
    EXPECT_THAT(answer.error().text, HasSubstr("goes on"));
    const auto undone = undo(service(), Wait::for_outcome);
    EXPECT_TRUE(undone) << undone.error().text;
    eventfd_t rung = 0;
    EXPECT_EQ(::eventfd_read(bell_.fd(), &rung), 0) << "it is the caller's still";
    EXPECT_EQ(rung, 1U);
}

TEST_F(PursuitTest, GivenUpBeforeItAskedItSaysThatNothingHasChanged) {
    const int nobody_accepts = place_.listen();
    bell_.ring();
    Ears ears;
    ears.event = [](const EventView&) {};
    ears.give_up_fd = bell_.fd();
    const auto answer = pursue(service(), restart_wish, ears);
    ::close(nobody_accepts);
    ASSERT_FALSE(answer);
    EXPECT_EQ(answer.error().code, ECANCELED);
    EXPECT_THAT(answer.error().text, HasSubstr("nothing has changed"));
}

TEST_F(PursuitTest, SaysThatTheSupervisorEndedBeforeItAnswered) {
    supervisor_.asked = [&](const core::Request&, const auto&) { supervisor_.end(); };
    begin();
    Ears ears;
    ears.event = [](const EventView&) {};
    const auto answer = pursue(service(), restart_wish, ears);
    ASSERT_FALSE(answer);
    EXPECT_THAT(answer.error().text, HasSubstr("ended before it answered"));
}

TEST_F(PursuitTest, FollowsTheEventsUntilItHasHeardEnough) {
    supervisor_.followed = [&] {
        for (const char* text : {"a", "b", "c"}) supervisor_.tell(std::string(R"({"text":")") + text + "\"}");
    };
    begin();
    const auto followed = follow_events(service(), [&](const EventView& event) {
        heard_.push_back(event.text);
        return event.text == "b" ? Hear::enough : Hear::on;
    });
    EXPECT_TRUE(followed);
    EXPECT_THAT(heard_, ElementsAre("a", "b"));
}

TEST_F(PursuitTest, FollowsTheEventsUntilTheSupervisorEnds) {
    supervisor_.followed = [&] {
        supervisor_.tell(R"({"text":"stopping"})");
        supervisor_.later([&] { supervisor_.end(); });
    };
    begin();
    const auto followed = follow_events(service(), [&](const EventView& event) {
        heard_.push_back(event.text);
        return Hear::on;
    });
    EXPECT_TRUE(followed);
    EXPECT_THAT(heard_, ElementsAre("stopping"));
}

TEST_F(PursuitTest, FollowsTheEventsUntilTheCallerGivesUp) {
    supervisor_.followed = [&] { bell_.ring(); };
    begin();
    const auto followed = follow_events(
        service(), [](const EventView&) { return Hear::on; }, bell_.fd());
    ASSERT_FALSE(followed);
    EXPECT_EQ(followed.error().code, EINTR);
}

TEST_F(PursuitTest, SaysWhyNoEventsAreTold) {
    begin({.event_streams = 0});
    const auto followed = follow_events(service(), [](const EventView&) { return Hear::on; });
    ASSERT_FALSE(followed);
    EXPECT_THAT(followed.error().text, HasSubstr("it tells no events (HTTP 503)"));
}

TEST_F(PursuitTest, WatchAsksNothingAtRest) {
    std::atomic<int> looks = 0;
    int looks_at_rest = -1;
    supervisor_.looked_at = [&](core::Status&) { ++looks; };
    begin();
    Ears ears;
    ears.look_every = 1ms;
    ears.give_up_fd = bell_.fd();
    ears.status = [&](const ServiceView&) {
        if (looks == 2) return bell_.ring();
        // The only thing that happens, later than whatever this client does by the clock.
        supervisor_.after(1200ms, [&] {
            looks_at_rest = looks;
            supervisor_.tell(R"({"text":"at last"})");
        });
    };
    EXPECT_FALSE(watch(service(), ears));
    EXPECT_EQ(looks_at_rest, 1) << "nothing had happened since";
    EXPECT_EQ(looks, 2);
}

TEST_F(PursuitTest, WatchesFromEventToEvent) {
    int looks = 0, seen = 0;
    supervisor_.looked_at = [&](core::Status& status) { status.target = ++looks; };
    begin();
    Ears ears;
    ears.look_every = 1ms;
    ears.give_up_fd = bell_.fd();
    ears.event = [&](const EventView& event) { heard_.push_back(event.text); };
    ears.status = [&](const ServiceView& status) {
        seen = status.target;
        if (seen < 5) supervisor_.tell(R"({"text":"step"})");
        if (seen == 5) bell_.ring();
    };
    const auto watched = watch(service(), ears);
    ASSERT_FALSE(watched);
    EXPECT_EQ(watched.error().code, EINTR);
    EXPECT_EQ(seen, 5);
    EXPECT_EQ(heard_.size(), 4U);
}

TEST_F(PursuitTest, WatchLooksOnceMoreForAnEventThatCameWhileItLooked) {
    int looks = 0;
    std::vector<int> seen;
    supervisor_.looked_at = [&](core::Status& status) {
        status.target = ++looks;
        if (looks == 1) supervisor_.tell(R"({"text":"meanwhile"})");
    };
    begin();
    Ears ears;
    ears.look_every = 5ms;
    ears.give_up_fd = bell_.fd();
    ears.status = [&](const ServiceView& status) {
        seen.push_back(status.target);
        if (status.target == 2) bell_.ring();
    };
    EXPECT_FALSE(watch(service(), ears));
    EXPECT_THAT(seen, ElementsAre(1, 2));
}

TEST_F(PursuitTest, WatchLooksAgainWithoutAnEventWhileAChangeIsUnderWay) {
    std::atomic<int> looks = 0;
    supervisor_.looked_at = [&](core::Status& status) {
        if (++looks == 1) status.change.emplace();
        if (looks == 2) supervisor_.end();
    };
    begin();
    Ears ears;
    ears.status = [](const ServiceView&) {};
    EXPECT_TRUE(watch(service(), ears)) << "the end of the supervisor is no error";
    EXPECT_EQ(looks, 2);
}

}  // namespace
}  // namespace holdfast::api
