#include <gtest/gtest.h>

#include "tests/unit/core/bench.hpp"

namespace holdfast::core::testing {
namespace {

using Result = Outcome::Result;

void finish_rollout(Bench& bench) {
    bench.serve_all();
    bench.advance(1s);
    bench.exit_all_leaving();
}

// Invariant 4.
TEST(Restart, DuringARolloutWaitsAndOnlyTheLatestOne) {
    Bench bench = serving({}, 1);
    const RequestId first = bench.ask(Restart{});
    const RequestId second = bench.ask(Restart{});
    const RequestId third = bench.ask(Restart{});
    EXPECT_EQ(bench.all<Spawn>().size(), 1U);
    EXPECT_EQ(bench.result(second), Result::superseded);
    finish_rollout(bench);
    EXPECT_EQ(bench.result(first), Result::done);
    EXPECT_FALSE(bench.answer(third));
    EXPECT_EQ(bench.all<Spawn>().back().generation.value, 3U);
    finish_rollout(bench);
    EXPECT_EQ(bench.result(third), Result::done);
    EXPECT_EQ(bench.notes("rollout_started").size(), 2U);
}

TEST(Restart, DuringTheFirstGenerationWaitsForIt) {
    Policy policy;
    policy.workers = 1;
    Bench bench(policy);
    bench.signal(Restart{});
    EXPECT_EQ(bench.all<Spawn>().size(), 1U);
    bench.serve_all();
    EXPECT_EQ(bench.all<Spawn>().size(), 2U);
}

TEST(Restart, DuringAScaleWaitsAndLaterScalesWaitBehindIt) {
    Bench bench = serving({}, 1);
    const RequestId scale = bench.ask(Scale{2});
    const RequestId restart = bench.ask(Restart{});
    const RequestId later = bench.ask(Scale{3});
    EXPECT_EQ(bench.status().target, 2);
    bench.serve_all();
    EXPECT_EQ(bench.result(scale), Result::done);
    EXPECT_EQ(bench.phase(), Phase::rolling_out);
    finish_rollout(bench);
    EXPECT_EQ(bench.result(restart), Result::done);
    bench.serve_all();
    EXPECT_EQ(bench.result(later), Result::done);
}

TEST(Stop, InterruptsWhateverIsUnderWayOrWaits) {
    Bench bench = serving({}, 1);
    const RequestId restart = bench.ask(Restart{});
    const RequestId scale = bench.ask(Scale{2});
    const RequestId waiting = bench.ask(Restart{});
    bench.signal(Stop{});
    EXPECT_EQ(bench.result(restart), Result::interrupted);
    EXPECT_EQ(bench.result(scale), Result::interrupted);
    EXPECT_EQ(bench.result(waiting), Result::interrupted);
    EXPECT_EQ(bench.phase(), Phase::stopping);
}

TEST(Requests, AreRefusedWhileStopping) {
    Bench bench = serving({}, 1);
    bench.signal(Stop{});
    for (const RequestId id : {bench.ask(Restart{}), bench.ask(Scale{2}), bench.ask(Pause{}), bench.ask(Resume{})}) {
        EXPECT_EQ(bench.result(id), Result::refused);
    }
}

TEST(Requests, OfSignalsHaveNoAnswer) {
    Bench bench = serving({}, 1);
    bench.signal(Restart{});
    bench.signal(Restart{});
    bench.signal(Restart{});
    bench.signal(Stop{});
    bench.exit_all_leaving();
    EXPECT_TRUE(bench.all<Answer>().empty());
}

TEST(Pause, TellsReadyWorkersAndResumeTellsThemToRun) {
    Bench bench = serving({}, 2);
    const RequestId pause = bench.ask(Pause{});
    EXPECT_EQ(bench.result(pause), Result::done);
    EXPECT_EQ(bench.count(WorkerState::paused), 2);
    const RequestId resume = bench.ask(Resume{});
    EXPECT_EQ(bench.result(resume), Result::done);
    EXPECT_EQ(bench.count(WorkerState::paused), 2);  // ready on their own word alone
    for (const WorkerStatus& worker : bench.status().workers) bench.accepting(worker.id, true);
    EXPECT_EQ(bench.count(WorkerState::ready), 2);
    EXPECT_TRUE(bench.all<Spawn>().empty());
}

TEST(Pause, IsRefusedWhereNobodyCan) {
    Policy policy;
    policy.workers = 1;
    Bench bench(policy);
    bench.serve_mutely(bench.worker(1, 0));
    EXPECT_EQ(bench.result(bench.ask(Pause{})), Result::refused);
    EXPECT_EQ(bench.result(bench.ask(Resume{})), Result::refused);
}

TEST(Pause, IsRefusedWhileAChangeIsUnderWay) {
    Bench bench = serving({}, 1);
    bench.ask(Restart{});
    EXPECT_EQ(bench.result(bench.ask(Pause{})), Result::refused);
}

TEST(Pause, EndsInADrainAndASuccessorWhenItLastsTooLong) {
    Policy policy;
    policy.max_pause = 60s;
    Bench bench = serving(policy, 1);
    bench.ask(Pause{});
    bench.advance(60s);
    EXPECT_EQ(bench.count(WorkerState::draining), 1);
    EXPECT_EQ(bench.all<Spawn>().size(), 1U);
    EXPECT_EQ(bench.status().slots.at(0).crashes_in_a_row, 0);
}

}  // namespace
}  // namespace holdfast::core::testing
