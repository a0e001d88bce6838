#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <holdfast/worker.hpp>
#include <latch>
#include <stop_token>
#include <vector>

#include "call_recorder.hpp"
#include "supervised_worker.hpp"

namespace holdfast::testing {
namespace {

using namespace std::chrono_literals;
using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

struct Sessions : SupervisedWorker {};

TEST_F(Sessions, AreAskedToLeaveByTheDrainWhichWaitsForThem) {
    Session session = worker.begin_session("websocket");
    worker.on_drain(recorder.callback("drain"));
    const std::stop_callback on_leave(session.stop_token(), recorder.callback("leave"));
    worker.close_last("pool", recorder.callback("pool closed"));
    worker.ready();
    EXPECT_FALSE(session.stop_token().stop_requested());
    EXPECT_FALSE(session.deadline().has_value());
    Waiter waiter(worker);

    supervisor.send_stage(Stage::drain, 1h);
    ASSERT_TRUE(eventually([&] { return session.stop_token().stop_requested(); }));
    EXPECT_EQ(session.deadline(), worker.deadline());
    EXPECT_FALSE(waiter.is_over());
    session.end();
    EXPECT_EQ(waiter.status(), 0);
    EXPECT_THAT(recorder.lines(), ElementsAre("drain", "leave", "pool closed"));
}

TEST_F(Sessions, ThatBeginDuringADrainAreAskedToLeaveImmediately) {
    const Request request = worker.begin_request("GET /");
    const Session first = worker.begin_session("first");
    worker.ready();
    supervisor.send_stage(Stage::drain);
    ASSERT_TRUE(eventually([&] { return first.stop_token().stop_requested(); }));
    const Session second = worker.begin_session("second");
    EXPECT_TRUE(second.stop_token().stop_requested());
    EXPECT_EQ(worker.report().sessions, 2U);
}

TEST_F(Sessions, AreNotAskedToLeaveByAPause) {
    const Session session = worker.begin_session("stream");
    worker.ready();
    supervisor.send_stage(Stage::pause);
    supervisor.wait_for(has_stopped_accepting);
    EXPECT_FALSE(session.stop_token().stop_requested());
}

// A stop token cannot be reset. Sessions that begin after `run` are not asked to leave.
TEST_F(Sessions, AskedToLeaveStaySoWhenTheDrainIsTakenBack) {
    const Session first = worker.begin_session("first");
    worker.ready();
    supervisor.send_stage(Stage::drain);
    supervisor.wait_for(has_stopped_accepting);
    ASSERT_TRUE(eventually([&] { return first.stop_token().stop_requested(); }));
    supervisor.send_stage(Stage::run);
    supervisor.wait_for(accepts);
    const Session second = worker.begin_session("second");
    EXPECT_TRUE(first.stop_token().stop_requested());
    EXPECT_FALSE(second.stop_token().stop_requested());
}

// The session does not use the pool: it delays the close of the pool only until its own period is over.
TEST_F(Sessions, ThatAreOverdueDelayOnlyWhatSessionsUse) {
    Session session = worker.begin_session("stream", 20ms);
    worker.resource("pool", recorder.callback("pool closed")).used_by(requests);
    worker.resource("hub", recorder.callback("hub closed")).used_by(sessions);
    worker.ready();
    Waiter waiter(worker);
    supervisor.send_stage(Stage::drain, 1h);
    ASSERT_TRUE(eventually([&] { return !recorder.lines().empty(); }));
    EXPECT_THAT(recorder.lines(), ElementsAre("pool closed"));
    EXPECT_THAT(lines_of(worker.report().waiting), Contains("session stream (overdue)"));
    EXPECT_FALSE(waiter.is_over());
    session.end();
    EXPECT_EQ(waiter.status(), 0);
    EXPECT_THAT(recorder.lines(), ElementsAre("pool closed", "hub closed"));
}

TEST_F(Sessions, ThatAreOverdueAreMarkedEvenWithALongName) {
    const Session session = worker.begin_session(std::string(200, 'x'), 0ms);
    worker.ready();
    supervisor.send_stage(Stage::drain, 1h);
    supervisor.wait_for(names("session " + std::string(54, 'x') + " (overdue)"));
}

TEST_F(Sessions, MayHaveTheMaximumPeriod) {
    Session session = worker.begin_session("stream", std::chrono::milliseconds::max());
    worker.resource("pool", [] {}).within(std::chrono::milliseconds::max());
    worker.ready();
    Waiter waiter(worker);
    supervisor.send_stage(Stage::drain, 1h);
    ASSERT_TRUE(eventually([&] { return session.stop_token().stop_requested(); }));
    EXPECT_GT(*session.deadline(), Worker::Clock::now() + 1h);
    session.end();
    EXPECT_EQ(waiter.status(), 0);
}

TEST_F(Sessions, CannotBeginOnceResourcesAreClosed) {
    worker.ready();
    Waiter waiter(worker);
    supervisor.send_stage(Stage::drain);
    EXPECT_EQ(waiter.status(), 0);
    EXPECT_THAT(misuse([&] { std::ignore = worker.begin_session("late"); }), HasSubstr("cannot begin late"));
}

TEST_F(Sessions, AreAskedToLeaveByTheCancelIfADrainCallbackHangs) {
    Session session = worker.begin_session("stream");
    std::latch leaves(1);
    const std::stop_callback on_leave(session.stop_token(), [&] { leaves.count_down(); });
    worker.on_drain([&] { leaves.wait(); });
    worker.ready();
    Waiter waiter(worker);
    supervisor.send_stage(Stage::drain);
    supervisor.wait_until_read();
    supervisor.send_stage(Stage::cancel);
    leaves.wait();
    session.end();
    EXPECT_EQ(waiter.status(), 3);
}

TEST(StandaloneSessions, MayOutliveTheWorker) {
    const FakeSupervisor supervisor;
    Session session;
    {
        Worker worker;
        session = worker.begin_session("stream");
    }
    EXPECT_FALSE(session.stop_token().stop_requested());
    session.end();
    session.end();
    const Session nothing;
    EXPECT_FALSE(nothing.deadline().has_value());
}

}  // namespace
}  // namespace holdfast::testing
