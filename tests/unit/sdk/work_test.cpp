#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <condition_variable>
#include <holdfast/worker.hpp>
#include <latch>
#include <mutex>
#include <optional>
#include <stdexcept>

#include "call_recorder.hpp"
#include "supervised_worker.hpp"

namespace holdfast::testing {
namespace {

using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

struct WorkItems : SupervisedWorker {};

TEST_F(WorkItems, ThatAreFinishedAreNotHandedBack) {
    {
        Work item = worker.hold_work("order 1", recorder.callback("handed back"));
        EXPECT_EQ(worker.report().work, 1U);
        EXPECT_EQ(item.finish(), Work::Outcome::ours);
    }
    EXPECT_THAT(recorder.lines(), ElementsAre());
    EXPECT_EQ(worker.report().work, 0U);
    EXPECT_EQ(worker.report().handed_back, 0U);
}

TEST_F(WorkItems, ThatAreDestroyedUnfinishedAreHandedBackAndCounted) {
    { const Work item = worker.hold_work("order 1", recorder.callback("handed back")); }
    Work item = worker.hold_work("order 2", recorder.callback("handed back 2"));
    item = worker.hold_work("order 3", recorder.callback("handed back 3"));
    EXPECT_EQ(item.finish(), Work::Outcome::ours);
    EXPECT_THAT(recorder.lines(), ElementsAre("handed back", "handed back 2"));
    EXPECT_EQ(worker.report().handed_back, 2U);
}

// A task that is asked to stop drops its item. The resource that items of work use is closed afterwards.
TEST_F(WorkItems, OfATaskThatEndsAreHandedBackBeforeTheQueueIsClosed) {
    worker.start_task("consumer", [&](const std::stop_token& stop) {
        const Work item = worker.hold_work("order 7", recorder.callback("order 7 back"));
        std::mutex mutex;
        std::unique_lock lock(mutex);
        std::condition_variable_any().wait(lock, stop, [] { return false; });
    });
    worker.resource("queue", recorder.callback("queue closed")).used_by(work);
    worker.ready();
    ASSERT_TRUE(eventually([&] { return worker.report().work == 1; }));
    Waiter waiter(worker);
    supervisor.send_stage(Stage::drain);
    EXPECT_EQ(waiter.status(), 0);
    EXPECT_THAT(recorder.lines(), ElementsAre("order 7 back", "queue closed"));
}

// Between two items nothing is held, but the queue is still needed.
TEST_F(WorkItems, ThatARunningTaskMayStillTakeKeepTheQueueOpen) {
    std::latch other_closed(1);
    std::atomic<bool> is_queue_closed = false;
    bool was_closed = false;
    worker.resource("queue", [&] { is_queue_closed = true; }).used_by(work);
    worker.resource("other", [&] { other_closed.count_down(); });
    worker.start_task("consumer", [&](const std::stop_token&) {
        other_closed.wait();
        // Unused resources are closed in reverse order of registration: the queue would be next.
        ASSERT_TRUE(eventually([&] { return worker.report().resources == 1; }));
        std::ignore = eventually([&, checks = 0]() mutable { return is_queue_closed || ++checks == 100; });
        Work item = worker.hold_work("order", [] {});
        was_closed = is_queue_closed;
        item.finish();
    });
    worker.ready();
    Waiter waiter(worker);
    supervisor.send_stage(Stage::drain);
    EXPECT_EQ(waiter.status(), 0);
    EXPECT_FALSE(was_closed);
    EXPECT_TRUE(is_queue_closed);
}

TEST_F(WorkItems, AreHandedBackByTheCancelAndCannotBeCommitted) {
    std::optional<Work> item = worker.hold_work("order 9", recorder.callback("back"));
    worker.ready();
    Waiter waiter(worker);
    supervisor.send_stage(Stage::drain);
    supervisor.wait_for(names("work order 9"));
    supervisor.send_stage(Stage::cancel);
    const Report last = supervisor.wait_for([](const Report& report) { return report.handed_back == 1; });
    EXPECT_THAT(lines_of(last.waiting.value()), ::testing::Not(Contains("work order 9")));
    EXPECT_EQ(item->finish(), Work::Outcome::handed_back);
    item.reset();
    EXPECT_EQ(waiter.status(), 3);
    EXPECT_THAT(recorder.lines(), ElementsAre("back"));
}

// The resource that the item is committed to must not be closed meanwhile.
TEST_F(WorkItems, ThatAreClaimedStayHeldUntilTheyAreReleased) {
    std::optional<Work> item = worker.hold_work("order 5", recorder.callback("back"));
    worker.resource("database", recorder.callback("database closed")).used_by(work);
    worker.ready();
    Waiter waiter(worker);
    EXPECT_EQ(item->claim(), Work::Outcome::ours);
    supervisor.send_stage(Stage::drain);
    supervisor.wait_for(is_releasing);
    supervisor.send_stage(Stage::cancel);
    supervisor.wait_for([](const Report& report) { return report.in_flight.has_value(); });
    EXPECT_EQ(item->claim(), Work::Outcome::ours);
    EXPECT_THAT(recorder.lines(), ElementsAre());
    item.reset();
    EXPECT_EQ(waiter.status(), 3);
    EXPECT_THAT(recorder.lines(), ElementsAre("database closed"));
}

// An item stays held until hand_back has returned: its queue stays open, and the worker does not report its release.
TEST_F(WorkItems, ThatAreHandedBackSlowlyKeepTheirResourcesOpen) {
    std::latch going(1), may_go(1);
    Work item = worker.hold_work("order 6", [&] {
        going.count_down();
        may_go.wait();
        recorder.record("back");
    });
    worker.resource("queue", recorder.callback("queue closed")).used_by(work);
    worker.ready();
    Waiter waiter(worker);
    supervisor.send_stage(Stage::cancel);
    going.wait();
    supervisor.wait_for(names("work order 6 (handing back)"));
    EXPECT_EQ(item.finish(), Work::Outcome::handed_back);
    EXPECT_FALSE(waiter.is_over());
    may_go.count_down();
    EXPECT_EQ(waiter.status(), 3);
    EXPECT_THAT(recorder.lines(), ElementsAre("back", "queue closed"));
}

TEST_F(WorkItems, ThatAreTakenAfterTheCancelAreHandedBackImmediately) {
    const Request request = worker.begin_request("GET /");
    worker.ready();
    supervisor.send_stage(Stage::cancel);
    ASSERT_TRUE(eventually([&] { return worker.report().stage == Stage::cancel; }));
    Work item = worker.hold_work("order 8", recorder.callback("back"));
    EXPECT_THAT(recorder.lines(), ElementsAre("back"));
    EXPECT_EQ(item.finish(), Work::Outcome::handed_back);
}

TEST_F(WorkItems, WhoseHandBackThrowsAreReported) {
    ::testing::internal::CaptureStderr();
    {
        const Work item = worker.hold_work("order 4", [] { throw std::runtime_error("the queue is gone"); });
    }
    EXPECT_THAT(::testing::internal::GetCapturedStderr(), HasSubstr("cannot hand back order 4: the queue is gone"));
}

TEST_F(WorkItems, CannotBeHeldOnceEverythingIsReleased) {
    worker.ready();
    Waiter waiter(worker);
    supervisor.send_stage(Stage::drain);
    EXPECT_EQ(waiter.status(), 0);
    EXPECT_THAT(misuse([&] { std::ignore = worker.hold_work("late", [] {}); }),
                HasSubstr("cannot hold the item of work late"));
}

TEST_F(WorkItems, CannotBeHeldOnceTheirQueueIsBeingClosed) {
    std::latch proceed(1);
    worker.resource("closed last", [&] { proceed.wait(); });
    worker.resource("queue", recorder.callback("queue closed")).used_by(work);
    worker.ready();
    Waiter waiter(worker);
    supervisor.send_stage(Stage::drain);
    EXPECT_TRUE(eventually([&] { return !recorder.lines().empty(); }));
    EXPECT_THAT(misuse([&] { std::ignore = worker.hold_work("late", [] {}); }),
                HasSubstr("cannot hold the item of work late"));
    proceed.count_down();
    EXPECT_EQ(waiter.status(), 0);
}

// The threads of a resource take items until its close stops them.
TEST_F(WorkItems, MayBeHeldByAResourceThatUsesTheirQueue) {
    Resource queue = worker.resource("queue", recorder.callback("queue closed")).used_by(work);
    const Resource consumer = worker.resource("consumer", [&] {
        Work item = worker.hold_work("order 1", [] {});
        recorder.record("consumed");
        item.finish();
    });
    queue.used_by(consumer);
    worker.ready();
    Waiter waiter(worker);
    supervisor.send_stage(Stage::drain);
    EXPECT_EQ(waiter.status(), 0);
    EXPECT_THAT(recorder.lines(), ElementsAre("consumed", "queue closed"));
}

TEST(StandaloneWorkItems, MayOutliveTheWorker) {
    CallRecorder recorder;
    const FakeSupervisor supervisor;
    {
        Work item;
        {
            Worker worker;
            item = worker.hold_work("order", recorder.callback("back"));
        }
    }
    EXPECT_THAT(recorder.lines(), ElementsAre("back"));
}

TEST_F(WorkItems, ThatCannotBeHandedBackAreLost) {
    {
        const Work item = worker.hold_work("order 1", [] { throw std::runtime_error("no broker"); });
    }
    { const Work item = worker.hold_work("order 2", recorder.callback("order 2 back")); }
    const DrainReport report = worker.report();
    EXPECT_EQ(report.handed_back, 1U);
    EXPECT_EQ(report.lost, 1U);
    EXPECT_THAT(report.failed, ElementsAre("the item of work order 1 is lost: its hand-back failed"));
    EXPECT_THAT(report.text(), HasSubstr("handed back 1; lost 1"));
    worker.ready();
    Waiter waiter(worker);
    supervisor.send_stage(Stage::drain);
    EXPECT_EQ(waiter.status(), 3);
}

TEST_F(WorkItems, WhoseHandBackHangsDelayNothingElse) {
    std::latch may_end(1);
    std::atomic<bool> is_cancelled = false;
    const Work item = worker.hold_work("order 1", [&] { may_end.wait(); });
    worker.on_cancel([&] { is_cancelled = true; });
    std::atomic<bool> is_asked = false;
    worker.start_task("consumer", [&](const std::stop_token& stop) {
        std::mutex mutex;
        std::unique_lock lock(mutex);
        std::condition_variable_any().wait(lock, stop, [] { return false; });
        is_asked = true;
    });
    const Request request = worker.begin_request("GET /");
    worker.ready();
    Waiter waiter(worker);
    supervisor.send_stage(Stage::cancel);
    EXPECT_TRUE(eventually([&] { return is_cancelled && is_asked; }));
    EXPECT_FALSE(waiter.is_over());
    may_end.count_down();
    const_cast<Request&>(request).end();
    EXPECT_EQ(waiter.status(), 3);
    EXPECT_EQ(worker.report().handed_back, 1U);
}

TEST_F(WorkItems, WithoutAFunctionAreRefused) {
    EXPECT_THAT(misuse([&] { (void)worker.hold_work("order 1", nullptr); }), HasSubstr("its function is empty"));
    EXPECT_THAT(misuse([&] { worker.start_task("consumer", nullptr); }), HasSubstr("its function is empty"));
    EXPECT_THAT(misuse([&] { worker.close_last("pool", nullptr); }), HasSubstr("its function is empty"));
}

}  // namespace
}  // namespace holdfast::testing
