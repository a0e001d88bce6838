// After the commit the old workers pause. A rollback to them is possible until the end of --probation.

#include <gtest/gtest.h>

#include "tests/unit/core/core_harness.hpp"

namespace holdfast::core::testing {
namespace {

using Result = Outcome::Result;

Policy with_probation() {
    Policy policy;
    policy.probation = 60s;
    return policy;
}

struct Probation : ::testing::Test {
    CoreHarness harness = serving(with_probation(), 2);
    WorkerId old_one = harness.worker_of(0), old_two = harness.worker_of(1);
    RequestId restart;

    void begin() {
        restart = harness.ask(Restart{});
        harness.serve_all();
        harness.advance(1s);
    }
};

TEST_F(Probation, PausesTheOldWorkersInsteadOfDrainingThem) {
    begin();
    EXPECT_EQ(harness.stages_sent(old_one), std::vector{Stage::pause});
    EXPECT_EQ(harness.stages_sent(old_two), std::vector{Stage::pause});
    EXPECT_EQ(harness.phase(), Phase::probation);
    EXPECT_FALSE(harness.answer(restart));
}

TEST_F(Probation, EndsWithTheDrainOfTheOldWorkers) {
    begin();
    harness.advance(59s);
    EXPECT_EQ(harness.count(WorkerState::paused), 2);
    harness.advance(1s);
    EXPECT_EQ(harness.stages_sent(old_one), (std::vector{Stage::pause, Stage::drain}));
    EXPECT_FALSE(harness.answer(restart));
    harness.exit_all_leaving();
    EXPECT_EQ(harness.result(restart), Result::done);
}

TEST_F(Probation, RecallsTheOldWorkersAfterACrash) {
    begin();
    const WorkerId crashed = harness.last_launched(1);
    harness.clear_actions();
    harness.exited(crashed, 9);
    EXPECT_EQ(harness.stages_sent(old_one), std::vector{Stage::run});
    EXPECT_EQ(harness.stages_sent(old_two), std::vector{Stage::run});
    harness.accepting(old_one, true);
    harness.accepting(old_two, true);
    harness.exit_all_leaving();
    ASSERT_TRUE(harness.answer(restart));
    EXPECT_EQ(harness.answer(restart)->result, Result::failed);
    EXPECT_NE(harness.answer(restart)->text.find("during probation"), std::string::npos);
    EXPECT_TRUE(harness.all<Spawn>().empty());
    EXPECT_EQ(harness.state(old_one), WorkerState::ready);
    EXPECT_EQ(harness.status().generation.value, 1U);
}

TEST_F(Probation, KeepsTheNewWorkersUntilTheOldOnesAcceptAgain) {
    begin();
    harness.exited(harness.last_launched(1), 9);
    const WorkerId healthy = harness.last_launched(0);
    EXPECT_EQ(harness.state(healthy), WorkerState::ready);
    harness.accepting(old_one, true);
    harness.accepting(old_two, true);
    EXPECT_EQ(harness.state(healthy), WorkerState::draining);
}

TEST_F(Probation, ReplacesAnOldWorkerThatDoesNotConfirmTheRecall) {
    begin();
    harness.exited(harness.last_launched(1), 9);
    harness.accepting(old_one, true);
    harness.clear_actions();
    harness.advance(with_probation().grace_period);
    EXPECT_EQ(harness.state(old_two), WorkerState::draining);
    ASSERT_EQ(harness.all<Spawn>().size(), 1U);
    EXPECT_EQ(harness.all<Spawn>()[0].generation.value, 1U);
}

TEST_F(Probation, NoLongerRollsBackAfterItsEnd) {
    begin();
    harness.advance(60s);
    const WorkerId crashed = harness.last_launched(1);
    harness.clear_actions();
    harness.exited(crashed, 9);
    EXPECT_EQ(harness.phase(), Phase::rolling_out);
    ASSERT_EQ(harness.all<Spawn>().size(), 1U);
    EXPECT_EQ(harness.all<Spawn>()[0].generation.value, 2U);
    harness.serve_all();
    harness.advance(1s);
    harness.exit_all_leaving();
    EXPECT_EQ(harness.result(restart), Result::done);
}

// Invariant 9: without all its workers the rollout is not done.
TEST_F(Probation, FailsAfterItsEndIfANewWorkerIsMissing) {
    begin();
    harness.advance(60s);
    const WorkerId crashed = harness.last_launched(1);
    harness.exited(crashed, 9);
    harness.exit_all_leaving();
    EXPECT_FALSE(harness.answer(restart));
    harness.advance(std::chrono::minutes(10));  // no worker sends READY=1
    ASSERT_TRUE(harness.answer(restart));
    EXPECT_EQ(harness.answer(restart)->result, Result::failed);
    EXPECT_NE(harness.answer(restart)->text.find("short of workers"), std::string::npos);
    EXPECT_EQ(harness.status().generation.value, 2U);
}

TEST_F(Probation, ReplacesAnOldWorkerWithoutControlPipe) {
    begin();
    harness.feed(ChannelLost{old_two});
    const WorkerId crashed = harness.last_launched(1);
    harness.clear_actions();
    harness.exited(crashed, 9);
    EXPECT_TRUE(harness.stages_sent(old_two).empty());
    EXPECT_EQ(harness.state(old_two), WorkerState::draining);
    ASSERT_EQ(harness.all<Spawn>().size(), 1U);
    EXPECT_EQ(harness.all<Spawn>()[0].generation.value, 1U);
}

TEST_F(Probation, CanBeUndone) {
    begin();
    const RequestId undo = harness.ask(Undo{});
    harness.accepting(old_one, true);
    harness.accepting(old_two, true);
    EXPECT_FALSE(harness.answer(undo));  // the new workers still exist
    harness.exit_all_leaving();
    EXPECT_EQ(harness.result(undo), Result::done);
    EXPECT_EQ(harness.result(restart), Result::undone);
    EXPECT_EQ(harness.status().generation.value, 1U);
}

TEST_F(Probation, IsInterruptedByAStop) {
    begin();
    harness.signal(Stop{});
    EXPECT_EQ(harness.result(restart), Result::interrupted);
    EXPECT_EQ(harness.count(WorkerState::draining), 4);
}

TEST_F(Probation, BeginsAlsoIfNoOldWorkerIsLeft) {
    restart = harness.ask(Restart{});
    harness.exited(old_one, 1);
    harness.exited(old_two, 1);
    harness.serve_all();
    harness.advance(1s);
    EXPECT_EQ(harness.phase(), Phase::probation);
    harness.advance(60s);
    EXPECT_EQ(harness.result(restart), Result::done);
}

TEST(ProbationWithoutHello, LetsBothGenerationsAccept) {
    Policy policy = with_probation();
    policy.workers = 1;
    CoreHarness harness(policy);
    harness.serve_without_hello(harness.last_launched(0));
    const WorkerId old = harness.last_launched(0);
    harness.advance(1s);
    const RequestId restart = harness.ask(Restart{});
    harness.serve_without_hello(harness.last_launched(0));
    harness.advance(1s);
    EXPECT_EQ(harness.state(old), WorkerState::ready);
    EXPECT_EQ(harness.phase(), Phase::probation);
    EXPECT_EQ(harness.notes("worker_not_paused").size(), 1U);
    harness.advance(60s);
    EXPECT_EQ(harness.state(old), WorkerState::draining);
    harness.exit_all_leaving();
    EXPECT_EQ(harness.result(restart), Result::done);
}

// Paused workers do not count toward the surge: the rollout proceeds in steps, and all old workers still exist after
// the last step.
TEST(ProbationInSteps, PausesOneWorkerAfterTheOther) {
    Policy policy = with_probation();
    policy.max_surge = {1, false};
    CoreHarness harness = serving(policy, 3);
    harness.ask(Restart{});
    for (int step = 0; step < 3; ++step) {
        EXPECT_EQ(harness.all<Spawn>().size(), static_cast<std::size_t>(step) + 1);
        harness.serve_all();
        harness.advance(1s);
        EXPECT_EQ(harness.count(WorkerState::paused), step + 1);
    }
    EXPECT_EQ(harness.phase(), Phase::probation);
    harness.exited(harness.last_launched(2), 9);
    for (const WorkerStatus& worker : harness.status().workers) {
        if (worker.state == WorkerState::paused) harness.accepting(worker.id, true);
    }
    EXPECT_EQ(harness.status().generation.value, 1U);
    EXPECT_EQ(harness.all<Spawn>().size(), 3U);
}

}  // namespace
}  // namespace holdfast::core::testing
