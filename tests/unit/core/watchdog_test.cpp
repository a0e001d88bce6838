#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/unit/core/core_harness.hpp"

namespace holdfast::core::testing {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;

Policy with_watchdog(Duration watchdog = 10s) {
    Policy policy;
    policy.watchdog = watchdog;
    return policy;
}

WorkerId only(const CoreHarness& harness) { return harness.status().workers.at(0).id; }

// Sends WATCHDOG=1 once per interval.
void send_heartbeats(CoreHarness& harness, WorkerId worker, Duration duration, Duration every) {
    for (Duration elapsed{}; elapsed < duration; elapsed += every) {
        harness.report_watchdog(worker, Watchdog::alive);
        harness.advance(every);
    }
}

TEST(Watchdog, KeepsAWorkerThatSendsHeartbeatsInTime) {
    CoreHarness harness = serving(with_watchdog(), 1);
    const WorkerId worker = only(harness);
    send_heartbeats(harness, worker, 10min, 5s);
    EXPECT_EQ(harness.state(worker), WorkerState::ready);
    EXPECT_THAT(harness.notes("worker_crashed"), IsEmpty());
}

TEST(Watchdog, FailsAWorkerExactlyAtItsTimeout) {
    CoreHarness harness(with_watchdog());
    harness.serve(harness.worker(1, 0));
    const WorkerId worker = harness.worker(1, 0);
    harness.advance(10s - 1us);
    EXPECT_EQ(harness.state(worker), WorkerState::ready);
    harness.advance(1us);
    EXPECT_EQ(harness.state(worker), WorkerState::draining);
    EXPECT_EQ(harness.all<Tell>().back().command.reason, Reason::unhealthy);
    EXPECT_THAT(harness.notes("worker_crashed"), ElementsAre("was silent for 10.0 s: it missed its watchdog"));
    EXPECT_NE(harness.worker(1, 0), worker);  // its successor is launched at once
    EXPECT_EQ(harness.status().slots.at(0).crashes_in_a_row, 1);
    EXPECT_EQ(harness.status().slots.at(0).last_failure, "worker 1.0 was silent for 10.0 s: it missed its watchdog");
}

TEST(Watchdog, CountsFromTheLastHeartbeat) {
    CoreHarness harness = serving(with_watchdog(), 1);
    const WorkerId worker = only(harness);
    harness.advance(7s);
    harness.report_watchdog(worker, Watchdog::alive);
    harness.advance(10s - 1us);
    EXPECT_EQ(harness.state(worker), WorkerState::ready);
    harness.advance(1us);
    EXPECT_EQ(harness.state(worker), WorkerState::draining);
}

TEST(Watchdog, IgnoresAStartingWorker) {
    CoreHarness harness(with_watchdog(1s));
    harness.spawned(harness.worker(1, 0));
    harness.hello(harness.worker(1, 0));
    harness.report_watchdog(harness.worker(1, 0), Watchdog::alive);
    harness.advance(50s);
    EXPECT_EQ(harness.state(harness.worker(1, 0)), WorkerState::starting);
}

TEST(Watchdog, AppliesToPausedWorkers) {
    CoreHarness harness = serving(with_watchdog(), 1);
    const WorkerId worker = only(harness);
    harness.ask(Pause{});
    harness.advance(10s);
    EXPECT_EQ(harness.state(worker), WorkerState::draining);
    EXPECT_THAT(harness.notes("worker_crashed"), SizeIs(1));
}

TEST(Watchdog, DrainsASilentLameDuckAndCountsNoCrash) {
    Policy policy = with_watchdog(5s);
    policy.lame_duck = 1min;
    CoreHarness harness = serving(policy, 1);
    const WorkerId worker = only(harness);
    harness.signal(Stop{});
    EXPECT_EQ(harness.state(worker), WorkerState::lame_duck);
    harness.advance(5s);
    EXPECT_EQ(harness.state(worker), WorkerState::draining);
    EXPECT_EQ(harness.all<Tell>().back().command.reason, Reason::stop);
    EXPECT_TRUE(harness.status().slots.at(0).last_failure.empty());
}

// A late step adds at most a quarter of the watchdog, so a stall of the supervisor does not fail a worker that sends a
// heartbeat at half of the timeout.
TEST(Watchdog, DoesNotCountAStallOfTheSupervisor) {
    CoreHarness harness = serving(with_watchdog(), 1);
    const WorkerId worker = only(harness);
    harness.report_watchdog(worker, Watchdog::alive);
    harness.advance(5s);
    harness.stall(1h);
    harness.feed(Elapsed{});
    EXPECT_EQ(harness.state(worker), WorkerState::ready);
    harness.report_watchdog(worker, Watchdog::alive);
    harness.advance(9s);
    EXPECT_EQ(harness.state(worker), WorkerState::ready);
}

TEST(Watchdog, HandlesUnreadMessagesBeforeItExpires) {
    CoreHarness harness = serving(with_watchdog(), 1);
    const WorkerId worker = only(harness);
    harness.advance(8s);  // one more late step would exceed the timeout
    harness.stall(1h);
    harness.report_watchdog(worker, Watchdog::alive);
    harness.feed(Elapsed{});
    EXPECT_EQ(harness.state(worker), WorkerState::ready);
}

TEST(Watchdog, FailsASilentWorkerAlsoAfterStalls) {
    CoreHarness harness = serving(with_watchdog(), 1);
    const WorkerId worker = only(harness);
    for (int i = 0; i < 4; ++i) {  // a quarter of the watchdog each
        EXPECT_EQ(harness.state(worker), WorkerState::ready);
        harness.stall(1h);
        harness.feed(Elapsed{});
    }
    EXPECT_EQ(harness.state(worker), WorkerState::draining);
}

TEST(Watchdog, WakesTheSupervisorEachQuarterOfTheTimeout) {
    CoreHarness harness = serving(with_watchdog(8s), 1);
    const WorkerId worker = only(harness);
    harness.report_watchdog(worker, Watchdog::alive);
    EXPECT_EQ(*harness.next_deadline() - harness.now(), 2s);
    harness.feed(Elapsed{});
    EXPECT_EQ(*harness.next_deadline() - harness.now(), 2s);
}

TEST(Watchdog, CausesNoWakeUpIfDisabled) {
    CoreHarness harness = serving({}, 1);
    harness.report_watchdog(only(harness), Watchdog::alive);
    EXPECT_FALSE(harness.next_deadline());
}

TEST(Watchdog, FailsAWorkerThatSendsTrigger) {
    for (const Duration watchdog : {0s, 10s}) {
        CoreHarness harness = serving(with_watchdog(watchdog), 1);
        const WorkerId worker = only(harness);
        harness.report_watchdog(worker, Watchdog::trigger);
        EXPECT_EQ(harness.state(worker), WorkerState::draining);
        EXPECT_NE(harness.worker(1, 0), worker);
        EXPECT_THAT(harness.notes("worker_crashed"), ElementsAre("asked to be terminated (WATCHDOG=trigger)"));
    }
}

TEST(Watchdog, IgnoresAWorkerWithoutMessagesAndLogsItOnce) {
    Policy policy = with_watchdog();
    policy.workers = 2;
    CoreHarness harness(policy);
    harness.spawned(harness.worker(1, 0));
    harness.spawned(harness.worker(1, 1));
    harness.advance(1h);
    EXPECT_EQ(harness.count(WorkerState::ready), 2);
    EXPECT_THAT(harness.notes("not_watched"), SizeIs(1));
}

TEST(Watchdog, AppliesFromTheFirstMessageOn) {
    Policy policy = with_watchdog();
    policy.ready_when = ReadyAlive{1s};
    CoreHarness harness(policy);
    const WorkerId worker = harness.worker(1, 0);
    harness.spawned(worker);
    harness.advance(1min);
    harness.report_watchdog(worker, Watchdog::alive);
    harness.advance(10s - 1us);
    EXPECT_EQ(harness.state(worker), WorkerState::ready);
    harness.advance(1us);
    EXPECT_EQ(harness.state(worker), WorkerState::draining);
}

TEST(Watchdog, FailsTheRolloutIfANewWorkerIsSilent) {
    Policy policy = with_watchdog(5s);
    policy.probation = 1min;
    CoreHarness harness = serving(policy, 1);
    const WorkerId old = only(harness);
    const RequestId restart = harness.ask(Restart{});
    harness.serve_all();
    const WorkerId silent = harness.worker(2, 0);
    for (int i = 0; i < 5; ++i) {
        harness.report_watchdog(old, Watchdog::alive);
        harness.advance(1s);
    }
    EXPECT_EQ(harness.state(silent), WorkerState::draining);
    harness.accepting(old, true);
    harness.exited(silent);
    ASSERT_TRUE(harness.answer(restart));
    EXPECT_EQ(harness.result(restart), Outcome::Result::failed);
    EXPECT_THAT(harness.answer(restart)->text, HasSubstr("worker 2.0 was silent for 5.0 s"));
    EXPECT_EQ(harness.state(old), WorkerState::ready);
}

TEST(Watchdog, IsShownInTheStatus) {
    CoreHarness harness = serving(with_watchdog(), 1);
    harness.report_watchdog(only(harness), Watchdog::alive);
    EXPECT_EQ(harness.status().workers.at(0).silent_until, harness.now() + 10s);
    EXPECT_FALSE(serving({}, 1).status().workers.at(0).silent_until);
}

}  // namespace
}  // namespace holdfast::core::testing
