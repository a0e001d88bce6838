#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/unit/core/core_harness.hpp"

namespace holdfast::core::testing {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;

Policy watched(Duration watchdog = 10s) {
    Policy policy;
    policy.watchdog = watchdog;
    return policy;
}

WorkerId only(const CoreHarness& harness) { return harness.status().workers.at(0).id; }

// It is said so often for so long.
void speak_for(CoreHarness& harness, WorkerId worker, Duration duration, Duration every) {
    for (Duration spoken{}; spoken < duration; spoken += every) {
        harness.says(worker, Watchdog::alive);
        harness.advance(every);
    }
}

TEST(Watchdog, LetsAWorkerServeThatSpeaksInTime) {
    CoreHarness harness = serving(watched(), 1);
    const WorkerId worker = only(harness);
    speak_for(harness, worker, 10min, 5s);
    EXPECT_EQ(harness.state(worker), WorkerState::ready);
    EXPECT_THAT(harness.notes("worker_crashed"), IsEmpty());
}

TEST(Watchdog, GivesUpAWorkerThatIsSilentForItsWholeTimeAndNotBefore) {
    CoreHarness harness(watched());
    harness.serve(harness.worker(1, 0));
    const WorkerId worker = harness.worker(1, 0);
    harness.advance(10s - 1us);
    EXPECT_EQ(harness.state(worker), WorkerState::ready);
    harness.advance(1us);
    EXPECT_EQ(harness.state(worker), WorkerState::draining);
    EXPECT_EQ(harness.all<Tell>().back().command.reason, Reason::unhealthy);
    EXPECT_THAT(harness.notes("worker_crashed"), ElementsAre("was silent for 10.0 s: it missed its watchdog"));
    EXPECT_NE(harness.worker(1, 0), worker);  // its successor comes at once
    EXPECT_EQ(harness.status().slots.at(0).crashes_in_a_row, 1);
    EXPECT_EQ(harness.status().slots.at(0).last_failure, "worker 1.0 was silent for 10.0 s: it missed its watchdog");
}

TEST(Watchdog, CountsFromTheLastWord) {
    CoreHarness harness = serving(watched(), 1);
    const WorkerId worker = only(harness);
    harness.advance(7s);
    harness.says(worker, Watchdog::alive);
    harness.advance(10s - 1us);
    EXPECT_EQ(harness.state(worker), WorkerState::ready);
    harness.advance(1us);
    EXPECT_EQ(harness.state(worker), WorkerState::draining);
}

TEST(Watchdog, DoesNotHurryAWorkerThatStarts) {
    CoreHarness harness(watched(1s));
    harness.spawned(harness.worker(1, 0));
    harness.hello(harness.worker(1, 0));
    harness.says(harness.worker(1, 0), Watchdog::alive);
    harness.advance(50s);
    EXPECT_EQ(harness.state(harness.worker(1, 0)), WorkerState::starting);
}

TEST(Watchdog, WatchesPausedWorkersToo) {
    CoreHarness harness = serving(watched(), 1);
    const WorkerId worker = only(harness);
    harness.ask(Pause{});
    harness.advance(10s);
    EXPECT_EQ(harness.state(worker), WorkerState::draining);
    EXPECT_THAT(harness.notes("worker_crashed"), SizeIs(1));
}

TEST(Watchdog, MovesASilentLameDuckOnAndCountsNoCrash) {
    Policy policy = watched(5s);
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

// One late step adds a quarter of the watchdog at most: a worker that speaks at half time is not killed by our absence.
TEST(Watchdog, DoesNotCountWhatAStalledSupervisorCouldNotHear) {
    CoreHarness harness = serving(watched(), 1);
    const WorkerId worker = only(harness);
    harness.says(worker, Watchdog::alive);
    harness.advance(5s);
    harness.stall(1h);
    harness.feed(Elapsed{});
    EXPECT_EQ(harness.state(worker), WorkerState::ready);
    harness.says(worker, Watchdog::alive);
    harness.advance(9s);
    EXPECT_EQ(harness.state(worker), WorkerState::ready);
}

TEST(Watchdog, HearsUnreadMessagesBeforeItJudges) {
    CoreHarness harness = serving(watched(), 1);
    const WorkerId worker = only(harness);
    harness.advance(8s);  // with a late step more it would be over
    harness.stall(1h);
    harness.says(worker, Watchdog::alive);
    harness.feed(Elapsed{});
    EXPECT_EQ(harness.state(worker), WorkerState::ready);
}

TEST(Watchdog, GivesUpASilentWorkerAlsoAfterStalls) {
    CoreHarness harness = serving(watched(), 1);
    const WorkerId worker = only(harness);
    for (int i = 0; i < 4; ++i) {  // a quarter of the watchdog each
        EXPECT_EQ(harness.state(worker), WorkerState::ready);
        harness.stall(1h);
        harness.feed(Elapsed{});
    }
    EXPECT_EQ(harness.state(worker), WorkerState::draining);
}

TEST(Watchdog, WakesTheSupervisorEachQuarterOfIt) {
    CoreHarness harness = serving(watched(8s), 1);
    const WorkerId worker = only(harness);
    harness.says(worker, Watchdog::alive);
    EXPECT_EQ(*harness.next_deadline() - harness.now(), 2s);
    harness.feed(Elapsed{});
    EXPECT_EQ(*harness.next_deadline() - harness.now(), 2s);
}

TEST(Watchdog, CostsNoWakeUpWhereItIsOff) {
    CoreHarness harness = serving({}, 1);
    harness.says(only(harness), Watchdog::alive);
    EXPECT_FALSE(harness.next_deadline());
}

TEST(Watchdog, TakesAWorkersWordThatItIsLost) {
    for (const Duration watchdog : {0s, 10s}) {
        CoreHarness harness = serving(watched(watchdog), 1);
        const WorkerId worker = only(harness);
        harness.says(worker, Watchdog::trigger);
        EXPECT_EQ(harness.state(worker), WorkerState::draining);
        EXPECT_NE(harness.worker(1, 0), worker);
        EXPECT_THAT(harness.notes("worker_crashed"), ElementsAre("asked to be terminated (WATCHDOG=trigger)"));
    }
}

TEST(Watchdog, DoesNotWatchAMuteWorkerAndSaysSoOnce) {
    Policy policy = watched();
    policy.workers = 2;
    CoreHarness harness(policy);
    harness.spawned(harness.worker(1, 0));
    harness.spawned(harness.worker(1, 1));
    harness.advance(1h);
    EXPECT_EQ(harness.count(WorkerState::ready), 2);
    EXPECT_THAT(harness.notes("not_watched"), SizeIs(1));
}

TEST(Watchdog, WatchesAWorkerFromItsFirstWordOn) {
    Policy policy = watched();
    policy.ready_when = ReadyAlive{1s};
    CoreHarness harness(policy);
    const WorkerId worker = harness.worker(1, 0);
    harness.spawned(worker);
    harness.advance(1min);
    harness.says(worker, Watchdog::alive);
    harness.advance(10s - 1us);
    EXPECT_EQ(harness.state(worker), WorkerState::ready);
    harness.advance(1us);
    EXPECT_EQ(harness.state(worker), WorkerState::draining);
}

TEST(Watchdog, FailsTheRolloutOfASilentWorker) {
    Policy policy = watched(5s);
    policy.probation = 1min;
    CoreHarness harness = serving(policy, 1);
    const WorkerId old = only(harness);
    const RequestId restart = harness.ask(Restart{});
    harness.serve_all();
    const WorkerId silent = harness.worker(2, 0);
    for (int i = 0; i < 5; ++i) {
        harness.says(old, Watchdog::alive);
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
    CoreHarness harness = serving(watched(), 1);
    harness.says(only(harness), Watchdog::alive);
    EXPECT_EQ(harness.status().workers.at(0).silent_until, harness.now() + 10s);
    EXPECT_FALSE(serving({}, 1).status().workers.at(0).silent_until);
}

}  // namespace
}  // namespace holdfast::core::testing
