#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/unit/core/bench.hpp"

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

WorkerId only(const Bench& bench) { return bench.status().workers.at(0).id; }

// It is said so often for so long.
void speak_for(Bench& bench, WorkerId worker, Duration duration, Duration every) {
    for (Duration spoken{}; spoken < duration; spoken += every) {
        bench.says(worker, Watchdog::alive);
        bench.advance(every);
    }
}

TEST(Watchdog, LetsAWorkerServeThatSpeaksInTime) {
    Bench bench = serving(watched(), 1);
    const WorkerId worker = only(bench);
    speak_for(bench, worker, 10min, 5s);
    EXPECT_EQ(bench.state(worker), WorkerState::ready);
    EXPECT_THAT(bench.notes("worker_crashed"), IsEmpty());
}

TEST(Watchdog, GivesUpAWorkerThatIsSilentForItsWholeTimeAndNotBefore) {
    Bench bench(watched());
    bench.serve(bench.worker(1, 0));
    const WorkerId worker = bench.worker(1, 0);
    bench.advance(10s - 1us);
    EXPECT_EQ(bench.state(worker), WorkerState::ready);
    bench.advance(1us);
    EXPECT_EQ(bench.state(worker), WorkerState::draining);
    EXPECT_EQ(bench.all<Tell>().back().command.reason, Reason::unhealthy);
    EXPECT_THAT(bench.notes("worker_crashed"), ElementsAre("was silent for 10.0 s: it missed its watchdog"));
    EXPECT_NE(bench.worker(1, 0), worker);  // its successor comes at once
    EXPECT_EQ(bench.status().slots.at(0).crashes_in_a_row, 1);
    EXPECT_EQ(bench.status().slots.at(0).last_failure, "worker 1.0 was silent for 10.0 s: it missed its watchdog");
}

TEST(Watchdog, CountsFromTheLastWord) {
    Bench bench = serving(watched(), 1);
    const WorkerId worker = only(bench);
    bench.advance(7s);
    bench.says(worker, Watchdog::alive);
    bench.advance(10s - 1us);
    EXPECT_EQ(bench.state(worker), WorkerState::ready);
    bench.advance(1us);
    EXPECT_EQ(bench.state(worker), WorkerState::draining);
}

TEST(Watchdog, DoesNotHurryAWorkerThatStarts) {
    Bench bench(watched(1s));
    bench.spawned(bench.worker(1, 0));
    bench.hello(bench.worker(1, 0));
    bench.says(bench.worker(1, 0), Watchdog::alive);
    bench.advance(50s);
    EXPECT_EQ(bench.state(bench.worker(1, 0)), WorkerState::starting);
}

TEST(Watchdog, WatchesPausedWorkersToo) {
    Bench bench = serving(watched(), 1);
    const WorkerId worker = only(bench);
    bench.ask(Pause{});
    bench.advance(10s);
    EXPECT_EQ(bench.state(worker), WorkerState::draining);
    EXPECT_THAT(bench.notes("worker_crashed"), SizeIs(1));
}

TEST(Watchdog, MovesASilentLameDuckOnAndCountsNoCrash) {
    Policy policy = watched(5s);
    policy.lame_duck = 1min;
    Bench bench = serving(policy, 1);
    const WorkerId worker = only(bench);
    bench.signal(Stop{});
    EXPECT_EQ(bench.state(worker), WorkerState::lame_duck);
    bench.advance(5s);
    EXPECT_EQ(bench.state(worker), WorkerState::draining);
    EXPECT_EQ(bench.all<Tell>().back().command.reason, Reason::stop);
    EXPECT_TRUE(bench.status().slots.at(0).last_failure.empty());
}

// One late step adds a quarter of the watchdog at most: a worker that speaks at half time is not killed by our absence.
TEST(Watchdog, DoesNotCountWhatAStalledSupervisorCouldNotHear) {
    Bench bench = serving(watched(), 1);
    const WorkerId worker = only(bench);
    bench.says(worker, Watchdog::alive);
    bench.advance(5s);
    bench.stall(1h);
    bench.feed(Elapsed{});
    EXPECT_EQ(bench.state(worker), WorkerState::ready);
    bench.says(worker, Watchdog::alive);
    bench.advance(9s);
    EXPECT_EQ(bench.state(worker), WorkerState::ready);
}

TEST(Watchdog, HearsUnreadMessagesBeforeItJudges) {
    Bench bench = serving(watched(), 1);
    const WorkerId worker = only(bench);
    bench.advance(8s);  // with a late step more it would be over
    bench.stall(1h);
    bench.says(worker, Watchdog::alive);
    bench.feed(Elapsed{});
    EXPECT_EQ(bench.state(worker), WorkerState::ready);
}

TEST(Watchdog, GivesUpASilentWorkerAlsoAfterStalls) {
    Bench bench = serving(watched(), 1);
    const WorkerId worker = only(bench);
    for (int i = 0; i < 4; ++i) {  // a quarter of the watchdog each
        EXPECT_EQ(bench.state(worker), WorkerState::ready);
        bench.stall(1h);
        bench.feed(Elapsed{});
    }
    EXPECT_EQ(bench.state(worker), WorkerState::draining);
}

TEST(Watchdog, WakesTheSupervisorEachQuarterOfIt) {
    Bench bench = serving(watched(8s), 1);
    const WorkerId worker = only(bench);
    bench.says(worker, Watchdog::alive);
    EXPECT_EQ(*bench.next_deadline() - bench.now(), 2s);
    bench.feed(Elapsed{});
    EXPECT_EQ(*bench.next_deadline() - bench.now(), 2s);
}

TEST(Watchdog, CostsNoWakeUpWhereItIsOff) {
    Bench bench = serving({}, 1);
    bench.says(only(bench), Watchdog::alive);
    EXPECT_FALSE(bench.next_deadline());
}

TEST(Watchdog, TakesAWorkersWordThatItIsLost) {
    for (const Duration watchdog : {0s, 10s}) {
        Bench bench = serving(watched(watchdog), 1);
        const WorkerId worker = only(bench);
        bench.says(worker, Watchdog::trigger);
        EXPECT_EQ(bench.state(worker), WorkerState::draining);
        EXPECT_NE(bench.worker(1, 0), worker);
        EXPECT_THAT(bench.notes("worker_crashed"), ElementsAre("asked to be given up (WATCHDOG=trigger)"));
    }
}

TEST(Watchdog, DoesNotWatchAMuteWorkerAndSaysSoOnce) {
    Policy policy = watched();
    policy.workers = 2;
    Bench bench(policy);
    bench.spawned(bench.worker(1, 0));
    bench.spawned(bench.worker(1, 1));
    bench.advance(1h);
    EXPECT_EQ(bench.count(WorkerState::ready), 2);
    EXPECT_THAT(bench.notes("not_watched"), SizeIs(1));
}

TEST(Watchdog, WatchesAWorkerFromItsFirstWordOn) {
    Policy policy = watched();
    policy.ready_when = ReadyAlive{1s};
    Bench bench(policy);
    const WorkerId worker = bench.worker(1, 0);
    bench.spawned(worker);
    bench.advance(1min);
    bench.says(worker, Watchdog::alive);
    bench.advance(10s - 1us);
    EXPECT_EQ(bench.state(worker), WorkerState::ready);
    bench.advance(1us);
    EXPECT_EQ(bench.state(worker), WorkerState::draining);
}

TEST(Watchdog, FailsTheRolloutOfASilentWorker) {
    Policy policy = watched(5s);
    policy.probation = 1min;
    Bench bench = serving(policy, 1);
    const WorkerId old = only(bench);
    const RequestId restart = bench.ask(Restart{});
    bench.serve_all();
    const WorkerId silent = bench.worker(2, 0);
    for (int i = 0; i < 5; ++i) {
        bench.says(old, Watchdog::alive);
        bench.advance(1s);
    }
    EXPECT_EQ(bench.state(silent), WorkerState::draining);
    bench.accepting(old, true);
    bench.exited(silent);
    ASSERT_TRUE(bench.answer(restart));
    EXPECT_EQ(bench.result(restart), Outcome::Result::failed);
    EXPECT_THAT(bench.answer(restart)->text, HasSubstr("worker 2.0 was silent for 5.0 s"));
    EXPECT_EQ(bench.state(old), WorkerState::ready);
}

TEST(Watchdog, IsShownInTheStatus) {
    Bench bench = serving(watched(), 1);
    bench.says(only(bench), Watchdog::alive);
    EXPECT_EQ(bench.status().workers.at(0).silent_until, bench.now() + 10s);
    EXPECT_FALSE(serving({}, 1).status().workers.at(0).silent_until);
}

}  // namespace
}  // namespace holdfast::core::testing
