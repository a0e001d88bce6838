// After the commit point the old workers pause, and can be had back for as long as --probation lasts.

#include <gtest/gtest.h>

#include "tests/unit/core/bench.hpp"

namespace holdfast::core::testing {
namespace {

using Result = Outcome::Result;

Policy with_probation() {
    Policy policy;
    policy.probation = 60s;
    return policy;
}

struct Probation : ::testing::Test {
    Bench bench = serving(with_probation(), 2);
    WorkerId old_one = bench.worker_of(0), old_two = bench.worker_of(1);
    RequestId restart;

    void begin() {
        restart = bench.ask(Restart{});
        bench.serve_all();
        bench.advance(1s);
    }
};

TEST_F(Probation, PausesTheOldOnesInsteadOfDrainingThem) {
    begin();
    EXPECT_EQ(bench.told(old_one), std::vector{Stage::pause});
    EXPECT_EQ(bench.told(old_two), std::vector{Stage::pause});
    EXPECT_EQ(bench.phase(), Phase::probation);
    EXPECT_FALSE(bench.answer(restart));
}

TEST_F(Probation, EndsWithTheDrainOfTheOldOnes) {
    begin();
    bench.advance(59s);
    EXPECT_EQ(bench.count(WorkerState::paused), 2);
    bench.advance(1s);
    EXPECT_EQ(bench.told(old_one), (std::vector{Stage::pause, Stage::drain}));
    EXPECT_FALSE(bench.answer(restart));
    bench.exit_all_leaving();
    EXPECT_EQ(bench.result(restart), Result::done);
}

TEST_F(Probation, BringsTheOldOnesBackAfterACrashWithoutALaunch) {
    begin();
    const WorkerId crashed = bench.last_launched(1);
    bench.forget_actions();
    bench.exited(crashed, 9);
    EXPECT_EQ(bench.told(old_one), std::vector{Stage::run});
    EXPECT_EQ(bench.told(old_two), std::vector{Stage::run});
    bench.accepting(old_one, true);
    bench.accepting(old_two, true);
    bench.exit_all_leaving();
    ASSERT_TRUE(bench.answer(restart));
    EXPECT_EQ(bench.answer(restart)->result, Result::failed);
    EXPECT_NE(bench.answer(restart)->text.find("during probation"), std::string::npos);
    EXPECT_TRUE(bench.all<Spawn>().empty());
    EXPECT_EQ(bench.state(old_one), WorkerState::ready);
    EXPECT_EQ(bench.status().generation.value, 1U);
}

TEST_F(Probation, KeepsTheNewOnesUntilTheOldOnesAcceptAgain) {
    begin();
    bench.exited(bench.last_launched(1), 9);
    const WorkerId healthy = bench.last_launched(0);
    EXPECT_EQ(bench.state(healthy), WorkerState::ready);
    bench.accepting(old_one, true);
    bench.accepting(old_two, true);
    EXPECT_EQ(bench.state(healthy), WorkerState::draining);
}

TEST_F(Probation, ReplacesAnOldOneThatDoesNotAnswerTheCallBack) {
    begin();
    bench.exited(bench.last_launched(1), 9);
    bench.accepting(old_one, true);
    bench.forget_actions();
    bench.advance(with_probation().grace_period);
    EXPECT_EQ(bench.state(old_two), WorkerState::draining);
    ASSERT_EQ(bench.all<Spawn>().size(), 1U);
    EXPECT_EQ(bench.all<Spawn>()[0].generation.value, 1U);
}

TEST_F(Probation, OnceOverMakesACrashAnOrdinaryOne) {
    begin();
    bench.advance(60s);
    const WorkerId crashed = bench.last_launched(1);
    bench.forget_actions();
    bench.exited(crashed, 9);
    EXPECT_EQ(bench.phase(), Phase::rolling_out);
    ASSERT_EQ(bench.all<Spawn>().size(), 1U);
    EXPECT_EQ(bench.all<Spawn>()[0].generation.value, 2U);
    bench.serve_all();
    bench.advance(1s);
    bench.exit_all_leaving();
    EXPECT_EQ(bench.result(restart), Result::done);
}

// Invariant 9: with a worker short it is not done.
TEST_F(Probation, OnceOverIsNotDoneWhileAWorkerOfTheNewGenerationIsMissing) {
    begin();
    bench.advance(60s);
    const WorkerId crashed = bench.last_launched(1);
    bench.exited(crashed, 9);
    bench.exit_all_leaving();
    EXPECT_FALSE(bench.answer(restart));
    bench.advance(std::chrono::minutes(10));  // nobody there ever says READY=1
    ASSERT_TRUE(bench.answer(restart));
    EXPECT_EQ(bench.answer(restart)->result, Result::failed);
    EXPECT_NE(bench.answer(restart)->text.find("short of workers"), std::string::npos);
    EXPECT_EQ(bench.status().generation.value, 2U);
}

TEST_F(Probation, ReplacesAnOldOneThatHasHungUp) {
    begin();
    bench.feed(ChannelLost{old_two});
    const WorkerId crashed = bench.last_launched(1);
    bench.forget_actions();
    bench.exited(crashed, 9);
    EXPECT_TRUE(bench.told(old_two).empty());
    EXPECT_EQ(bench.state(old_two), WorkerState::draining);
    ASSERT_EQ(bench.all<Spawn>().size(), 1U);
    EXPECT_EQ(bench.all<Spawn>()[0].generation.value, 1U);
}

TEST_F(Probation, IsUndoneByAnOperator) {
    begin();
    const RequestId undo = bench.ask(Undo{});
    bench.accepting(old_one, true);
    bench.accepting(old_two, true);
    EXPECT_FALSE(bench.answer(undo));  // the new ones are still there
    bench.exit_all_leaving();
    EXPECT_EQ(bench.result(undo), Result::done);
    EXPECT_EQ(bench.result(restart), Result::undone);
    EXPECT_EQ(bench.status().generation.value, 1U);
}

TEST_F(Probation, IsPreemptedByAStop) {
    begin();
    bench.signal(Stop{});
    EXPECT_EQ(bench.result(restart), Result::interrupted);
    EXPECT_EQ(bench.count(WorkerState::draining), 4);
}

TEST_F(Probation, BeginsAlsoWhereNoOldOneIsLeft) {
    restart = bench.ask(Restart{});
    bench.exited(old_one, 1);
    bench.exited(old_two, 1);
    bench.serve_all();
    bench.advance(1s);
    EXPECT_EQ(bench.phase(), Phase::probation);
    bench.advance(60s);
    EXPECT_EQ(bench.result(restart), Result::done);
}

TEST(ProbationOfMuteWorkers, LetsBothGenerationsAccept) {
    Policy policy = with_probation();
    policy.workers = 1;
    Bench bench(policy);
    bench.serve_mutely(bench.last_launched(0));
    const WorkerId old = bench.last_launched(0);
    bench.advance(1s);
    const RequestId restart = bench.ask(Restart{});
    bench.serve_mutely(bench.last_launched(0));
    bench.advance(1s);
    EXPECT_EQ(bench.state(old), WorkerState::ready);
    EXPECT_EQ(bench.phase(), Phase::probation);
    EXPECT_EQ(bench.notes("worker_not_paused").size(), 1U);
    bench.advance(60s);
    EXPECT_EQ(bench.state(old), WorkerState::draining);
    bench.exit_all_leaving();
    EXPECT_EQ(bench.result(restart), Result::done);
}

// Who is paused takes no room: the rollout goes on in steps, and nobody has left when the last step is done.
TEST(ProbationInSteps, PausesOneAfterTheOther) {
    Policy policy = with_probation();
    policy.max_surge = {1, false};
    Bench bench = serving(policy, 3);
    bench.ask(Restart{});
    for (int step = 0; step < 3; ++step) {
        EXPECT_EQ(bench.all<Spawn>().size(), static_cast<std::size_t>(step) + 1);
        bench.serve_all();
        bench.advance(1s);
        EXPECT_EQ(bench.count(WorkerState::paused), step + 1);
    }
    EXPECT_EQ(bench.phase(), Phase::probation);
    bench.exited(bench.last_launched(2), 9);
    for (const WorkerStatus& worker : bench.status().workers) {
        if (worker.state == WorkerState::paused) bench.accepting(worker.id, true);
    }
    EXPECT_EQ(bench.status().generation.value, 1U);
    EXPECT_EQ(bench.all<Spawn>().size(), 3U);
}

}  // namespace
}  // namespace holdfast::core::testing
