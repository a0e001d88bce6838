#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/unit/core/bench.hpp"

namespace holdfast::core::testing {
namespace {

using Result = Outcome::Result;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;

TEST(Pause, TellsReadyWorkersAndResumeTellsThemToRun) {
    Bench bench = serving({}, 2);
    const RequestId pause = bench.ask(Pause{});
    EXPECT_EQ(bench.result(pause), Result::done);
    EXPECT_EQ(bench.count(WorkerState::paused), 2);
    EXPECT_EQ(bench.phase(), Phase::paused);
    const RequestId resume = bench.ask(Resume{});
    EXPECT_EQ(bench.result(resume), Result::done);
    EXPECT_EQ(bench.count(WorkerState::paused), 2);  // ready on their own word alone
    EXPECT_EQ(bench.phase(), Phase::serving);
    for (const WorkerStatus& worker : bench.status().workers) bench.accepting(worker.id, true);
    EXPECT_EQ(bench.count(WorkerState::ready), 2);
    EXPECT_THAT(bench.all<Spawn>(), IsEmpty());
}

TEST(Pause, IsRefusedWhereNobodyCan) {
    Bench bench({});
    bench.serve_mutely(bench.worker(1, 0));
    EXPECT_EQ(bench.result(bench.ask(Pause{})), Result::refused);
    EXPECT_EQ(bench.phase(), Phase::serving);
    EXPECT_EQ(bench.result(bench.ask(Resume{})), Result::refused);
}

TEST(Pause, IsRefusedWhileAChangeIsUnderWay) {
    Bench bench = serving({}, 1);
    bench.ask(Restart{});
    EXPECT_EQ(bench.result(bench.ask(Pause{})), Result::refused);
}

TEST(Pause, AskedForTwiceEndsWhenTheFirstOneDoes) {
    Bench bench = serving({}, 1);
    bench.ask(Pause{});
    const auto until = bench.status().paused_until;
    bench.advance(1min);
    EXPECT_EQ(bench.result(bench.ask(Pause{})), Result::done);
    EXPECT_EQ(bench.status().paused_until, until);
    EXPECT_THAT(bench.all<Tell>(), SizeIs(1));
}

TEST(Pause, EndsByItselfAfterItsLongestTime) {
    Policy policy;
    policy.max_pause = 60s;
    Bench bench = serving(policy, 1);
    const WorkerId worker = bench.worker(1, 0);
    bench.ask(Pause{});
    EXPECT_EQ(bench.status().paused_until, bench.now() + 60s);
    EXPECT_EQ(from_usec(*bench.all<Tell>().back().command.deadline_usec), bench.now() + 60s);
    bench.advance(60s - 1us);
    EXPECT_EQ(bench.told(worker), std::vector{Stage::pause});
    bench.advance(1us);
    EXPECT_EQ(bench.told(worker), (std::vector{Stage::pause, Stage::run}));
    EXPECT_FALSE(bench.status().paused_until);
    EXPECT_THAT(bench.notes("service_resumed"), SizeIs(1));
    bench.accepting(worker, true);
    EXPECT_EQ(bench.state(worker), WorkerState::ready);
    EXPECT_THAT(bench.all<Spawn>(), IsEmpty());
}

TEST(Pause, LeavesARecalledWorkerItsPlaceForTheGracePeriod) {
    Policy policy;
    policy.max_pause = 60s;
    Bench bench = serving(policy, 1);
    const WorkerId worker = bench.worker(1, 0);
    bench.ask(Pause{});
    bench.advance(60s + policy.grace_period - 1us);
    EXPECT_EQ(bench.state(worker), WorkerState::paused);
    EXPECT_THAT(bench.all<Spawn>(), IsEmpty());
    bench.advance(1us);
    EXPECT_EQ(bench.state(worker), WorkerState::draining);
    EXPECT_THAT(bench.all<Spawn>(), SizeIs(1));
    EXPECT_EQ(bench.status().slots.at(0).crashes_in_a_row, 0);
}

TEST(Pause, IsToldToAWorkerThatGetsReadyInIt) {
    Bench bench = serving({}, 1);
    bench.ask(Pause{});
    const auto until = bench.status().paused_until;
    bench.exited(bench.worker(1, 0), 1);
    bench.advance(1s);
    const WorkerId next = bench.worker(1, 0);
    bench.serve(next);
    EXPECT_EQ(bench.state(next), WorkerState::paused);
    EXPECT_EQ(bench.told(next), std::vector{Stage::pause});
    EXPECT_EQ(from_usec(*bench.all<Tell>().back().command.deadline_usec), until);
}

TEST(Pause, IsToldAgainToAWorkerThatWasJustToldToRun) {
    Bench bench = serving({}, 1);
    const WorkerId worker = bench.worker(1, 0);
    bench.ask(Pause{});
    bench.ask(Resume{});
    EXPECT_EQ(bench.result(bench.ask(Pause{})), Result::done);
    EXPECT_EQ(bench.told(worker), (std::vector{Stage::pause, Stage::run, Stage::pause}));
    bench.accepting(worker, true);  // said before it read the last command
    EXPECT_EQ(bench.state(worker), WorkerState::paused);
}

TEST(Pause, SaysHowManyCannot) {
    Policy policy;
    policy.workers = 2;
    Bench bench(policy);
    bench.serve(bench.worker(1, 0));
    bench.serve_mutely(bench.worker(1, 1));
    const RequestId pause = bench.ask(Pause{});
    EXPECT_THAT(bench.answer(pause)->text, HasSubstr("1 worker told to pause, 1 cannot and still accept"));
    bench.advance(1min);
    EXPECT_EQ(bench.count(WorkerState::ready), 1);
}

TEST(Pause, IsOverWhenTheServiceIsStopped) {
    Bench bench = serving({}, 1);
    bench.ask(Pause{});
    bench.signal(Stop{});
    EXPECT_EQ(bench.phase(), Phase::stopping);
    EXPECT_FALSE(bench.status().paused_until);
    bench.exit_all_leaving();
    EXPECT_EQ(bench.exit_code(), 0);
}

TEST(Pause, LetsNobodyBeRefusedHoweverLongItTakes) {
    Policy policy;
    policy.queue_for = 1s;
    Bench bench = serving(policy, 1);
    bench.ask(Pause{});
    bench.accepting(bench.worker(1, 0), false);
    bench.exited(bench.worker(1, 0), 1);
    bench.advance(1s);
    bench.exited(bench.worker(1, 0), 1);
    bench.advance(5s);
    EXPECT_THAT(bench.all<SetDoors>(), IsEmpty());
}

}  // namespace
}  // namespace holdfast::core::testing
