#include "api/client/change_client.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/eventfd.h>

#include <atomic>
#include <cerrno>
#include <optional>

#include "api/client/client.hpp"
#include "api_fixture.hpp"
#include "threaded_supervisor.hpp"

namespace holdfast::api {

EventFd::EventFd() : fd_(::eventfd(0, EFD_CLOEXEC)) {}
EventFd::~EventFd() { ::close(fd_); }
void EventFd::notify() const { EXPECT_EQ(::eventfd_write(fd_, 1), 0); }

namespace {

using namespace std::chrono_literals;
using testing::ElementsAre;
using testing::HasSubstr;

constexpr ChangeRequest restart_request{ChangeRequest::Kind::restart};

class ChangeClientTest : public testing::Test {
  protected:
    void begin(Limits limits = {}) { supervisor_.begin(directory_.listen(), limits); }
    Service service() const { return {directory_.path(), {}, {}}; }

    ListeningDirectory directory_;
    EventFd event_fd_;
    std::vector<std::string> events_;
    ThreadedSupervisor supervisor_;
};

TEST_F(ChangeClientTest, ReceivesEveryEventBetweenRequestAndOutcome) {
    supervisor_.on_request = [&](const core::Request&, const auto& answer) {
        for (int number = 0; number < 50; ++number) {
            supervisor_.emit(R"({"event":"step","text":")" + std::to_string(number) + "\"}");
        }
        supervisor_.post([answer] { answer({core::Outcome::Result::done, "generation 2 serves", {}, 0}); });
    };
    begin();
    ProgressCallbacks callbacks;
    callbacks.on_event = [&](const EventView& event) { events_.push_back(event.text); };
    const auto answer = perform_change(service(), restart_request, callbacks);
    ASSERT_TRUE(answer) << answer.error().text;
    EXPECT_EQ(answer->text, "generation 2 serves");
    ASSERT_EQ(events_.size(), 50U);
    EXPECT_EQ(events_.front(), "0");
    EXPECT_EQ(events_.back(), "49");
}

TEST_F(ChangeClientTest, PollsTheStatusWhileItWaits) {
    int polls = 0, ticks = 0, seen = 0;
    std::optional<ThreadedSupervisor::Respond> waiting;
    supervisor_.on_request = [&](const core::Request&, const auto& answer) { waiting = answer; };
    supervisor_.on_snapshot = [&](core::Status& status) {
        status.target = ++polls;
        if (polls == 3) supervisor_.post([&] { (*waiting)({}); });
    };
    begin();
    ProgressCallbacks callbacks;
    callbacks.poll_interval = 1ms;
    callbacks.on_tick = [&] { ++ticks; };
    callbacks.on_status = [&](const ServiceView& status) { seen = status.target; };
    callbacks.on_service = [&](const Service& whole) { EXPECT_THAT(whole.status_json, HasSubstr("\"name\":\"web\"")); };
    EXPECT_TRUE(perform_change(service(), restart_request, callbacks));
    EXPECT_GE(seen, 2);
    EXPECT_GE(ticks, 3);
}

TEST_F(ChangeClientTest, PerformsTheChangeWithoutEventsIfThereIsNoEventStream) {
    begin({.event_streams = 0});
    ProgressCallbacks callbacks;
    callbacks.on_event = [&](const EventView& event) { events_.push_back(event.text); };
    const auto answer = perform_change(service(), restart_request, callbacks);
    ASSERT_TRUE(answer) << answer.error().text;
    EXPECT_EQ(answer->result, "done");
    EXPECT_TRUE(events_.empty());
}

TEST_F(ChangeClientTest, StopsWaitingWhenCancelledWhileTheChangeContinues) {
    std::optional<ThreadedSupervisor::Respond> waiting;
    supervisor_.on_request = [&](const core::Request& request, const auto& answer) {
        if (std::holds_alternative<core::Undo>(request.what)) {
            (*waiting)({core::Outcome::Result::undone, {}, {}, 1});  // the client has stopped waiting
            return answer({});
        }
        waiting = answer;
        event_fd_.notify();
    };
    begin();
    ProgressCallbacks callbacks;
    callbacks.on_event = [](const EventView&) {};
    callbacks.cancel_fd = event_fd_.fd();
    const auto answer = perform_change(service(), restart_request, callbacks);
    ASSERT_FALSE(answer);
    EXPECT_EQ(answer.error().code, EINTR);
    EXPECT_THAT(answer.error().text, HasSubstr("the change continues"));
    const auto undone = undo(service(), Wait::for_outcome);
    EXPECT_TRUE(undone) << undone.error().text;
    eventfd_t value = 0;
    EXPECT_EQ(::eventfd_read(event_fd_.fd(), &value), 0) << "the descriptor was closed or read";
    EXPECT_EQ(value, 1U);
}

TEST_F(ChangeClientTest, ReportsThatNothingHasChangedWhenCancelledBeforeTheRequest) {
    const int listening_fd = directory_.listen();  // never accepts
    event_fd_.notify();
    ProgressCallbacks callbacks;
    callbacks.on_event = [](const EventView&) {};
    callbacks.cancel_fd = event_fd_.fd();
    const auto answer = perform_change(service(), restart_request, callbacks);
    ::close(listening_fd);
    ASSERT_FALSE(answer);
    EXPECT_EQ(answer.error().code, ECANCELED);
    EXPECT_THAT(answer.error().text, HasSubstr("nothing has changed"));
}

TEST_F(ChangeClientTest, ReportsThatTheSupervisorEndedBeforeItAnswered) {
    supervisor_.on_request = [&](const core::Request&, const auto&) { supervisor_.end(); };
    begin();
    ProgressCallbacks callbacks;
    callbacks.on_event = [](const EventView&) {};
    const auto answer = perform_change(service(), restart_request, callbacks);
    ASSERT_FALSE(answer);
    EXPECT_THAT(answer.error().text, HasSubstr("ended before it answered"));
}

TEST_F(ChangeClientTest, FollowsTheEventsUntilTheCallbackReturnsNo) {
    supervisor_.on_follow = [&] {
        for (const char* text : {"a", "b", "c"}) supervisor_.emit(std::string(R"({"text":")") + text + "\"}");
    };
    begin();
    const auto followed = follow_events(service(), [&](const EventView& event) {
        events_.push_back(event.text);
        return event.text == "b" ? Continue::no : Continue::yes;
    });
    EXPECT_TRUE(followed);
    EXPECT_THAT(events_, ElementsAre("a", "b"));
}

TEST_F(ChangeClientTest, FollowsTheEventsUntilTheSupervisorEnds) {
    supervisor_.on_follow = [&] {
        supervisor_.emit(R"({"text":"stopping"})");
        supervisor_.post([&] { supervisor_.end(); });
    };
    begin();
    const auto followed = follow_events(service(), [&](const EventView& event) {
        events_.push_back(event.text);
        return Continue::yes;
    });
    EXPECT_TRUE(followed);
    EXPECT_THAT(events_, ElementsAre("stopping"));
}

TEST_F(ChangeClientTest, FollowsTheEventsUntilItIsCancelled) {
    supervisor_.on_follow = [&] { event_fd_.notify(); };
    begin();
    const auto followed = follow_events(
        service(), [](const EventView&) { return Continue::yes; }, event_fd_.fd());
    ASSERT_FALSE(followed);
    EXPECT_EQ(followed.error().code, EINTR);
}

TEST_F(ChangeClientTest, ReportsWhyThereIsNoEventStream) {
    begin({.event_streams = 0});
    const auto followed = follow_events(service(), [](const EventView&) { return Continue::yes; });
    ASSERT_FALSE(followed);
    EXPECT_THAT(followed.error().text, HasSubstr("it offers no event stream (HTTP 503)"));
}

TEST_F(ChangeClientTest, WatchDoesNotPollWhileNothingChanges) {
    std::atomic<int> polls = 0;
    int polls_before_event = -1;
    supervisor_.on_snapshot = [&](core::Status&) { ++polls; };
    begin();
    ProgressCallbacks callbacks;
    callbacks.poll_interval = 1ms;
    callbacks.cancel_fd = event_fd_.fd();
    callbacks.on_status = [&](const ServiceView&) {
        if (polls == 2) return event_fd_.notify();
        // The only event, sent later than any timer of the client would expire.
        supervisor_.post_after(1200ms, [&] {
            polls_before_event = polls;
            supervisor_.emit(R"({"text":"at last"})");
        });
    };
    EXPECT_FALSE(watch_status(service(), callbacks));
    EXPECT_EQ(polls_before_event, 1) << "it polled although nothing had changed";
    EXPECT_EQ(polls, 2);
}

TEST_F(ChangeClientTest, WatchPollsAfterEachEvent) {
    int polls = 0, seen = 0;
    supervisor_.on_snapshot = [&](core::Status& status) { status.target = ++polls; };
    begin();
    ProgressCallbacks callbacks;
    callbacks.poll_interval = 1ms;
    callbacks.cancel_fd = event_fd_.fd();
    callbacks.on_event = [&](const EventView& event) { events_.push_back(event.text); };
    callbacks.on_status = [&](const ServiceView& status) {
        seen = status.target;
        if (seen < 5) supervisor_.emit(R"({"text":"step"})");
        if (seen == 5) event_fd_.notify();
    };
    const auto watched = watch_status(service(), callbacks);
    ASSERT_FALSE(watched);
    EXPECT_EQ(watched.error().code, EINTR);
    EXPECT_EQ(seen, 5);
    EXPECT_EQ(events_.size(), 4U);
}

TEST_F(ChangeClientTest, WatchPollsAgainForAnEventThatArrivedDuringAPoll) {
    int polls = 0;
    std::vector<int> seen;
    supervisor_.on_snapshot = [&](core::Status& status) {
        status.target = ++polls;
        if (polls == 1) supervisor_.emit(R"({"text":"meanwhile"})");
    };
    begin();
    ProgressCallbacks callbacks;
    callbacks.poll_interval = 5ms;
    callbacks.cancel_fd = event_fd_.fd();
    callbacks.on_status = [&](const ServiceView& status) {
        seen.push_back(status.target);
        if (status.target == 2) event_fd_.notify();
    };
    EXPECT_FALSE(watch_status(service(), callbacks));
    EXPECT_THAT(seen, ElementsAre(1, 2));
}

TEST_F(ChangeClientTest, WatchPollsWithoutAnEventWhileAChangeIsUnderWay) {
    std::atomic<int> polls = 0;
    supervisor_.on_snapshot = [&](core::Status& status) {
        if (++polls == 1) status.change.emplace();
        if (polls == 2) supervisor_.end();
    };
    begin();
    ProgressCallbacks callbacks;
    callbacks.on_status = [](const ServiceView&) {};
    EXPECT_TRUE(watch_status(service(), callbacks)) << "the end of the supervisor is not an error";
    EXPECT_EQ(polls, 2);
}

}  // namespace
}  // namespace holdfast::api
