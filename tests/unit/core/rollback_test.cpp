#include <gtest/gtest.h>

#include <cerrno>

#include "core/bounds.hpp"
#include "tests/unit/core/core_harness.hpp"

namespace holdfast::core::testing {
namespace {

using Result = Outcome::Result;

Policy one_by_one() {
    Policy policy;
    policy.max_surge = {1, false};
    return policy;
}

// Invariant 6, before the commit: the former generation is not affected.
TEST(Rollback, BeforeTheCommitDoesNotAffectOldWorkers) {
    CoreHarness harness = serving({}, 2);
    const RequestId restart = harness.ask(Restart{});
    harness.serve(harness.worker(2, 0));
    const WorkerId healthy = harness.worker(2, 0);
    harness.exited(harness.worker(2, 1), 7);
    EXPECT_EQ(harness.phase(), Phase::rolling_back);
    EXPECT_EQ(harness.stages_sent(healthy), std::vector{Stage::drain});
    EXPECT_EQ(harness.all<Tell>().at(0).command.reason, Reason::rollback);
    EXPECT_FALSE(harness.answer(restart));  // a new worker still exists
    harness.exited(healthy);
    EXPECT_EQ(harness.result(restart), Result::failed);
    EXPECT_EQ(harness.all<Tell>().size(), 1U);
    EXPECT_EQ(harness.all<Spawn>().size(), 2U);
    EXPECT_EQ(harness.status().generation.value, 1U);
}

TEST(Rollback, AnswersWithTheReasonAndTheLastWords) {
    CoreHarness harness = serving({}, 1);
    const RequestId restart = harness.ask(Restart{});
    harness.spawned(harness.worker(2, 0));
    harness.exited(harness.worker(2, 0), 7);
    const auto outcome = harness.answer(restart);
    ASSERT_TRUE(outcome);
    EXPECT_EQ(outcome->result, Result::failed);
    EXPECT_NE(outcome->text.find("worker 2.0 exited with status 7"), std::string::npos) << outcome->text;
    EXPECT_EQ(outcome->last_words, std::vector<std::string>{"last line"});
    EXPECT_EQ(outcome->exit_code, 1);
}

enum class End { exits, cannot_be_launched, is_not_ready_in_time, says_stopping, loses_its_main_process, settles_not };
class FailureOfANewWorker : public ::testing::TestWithParam<End> {};

TEST_P(FailureOfANewWorker, FailsTheRollout) {
    CoreHarness harness = serving({}, 1);
    harness.ask(Restart{});
    const WorkerId worker = harness.worker(2, 0);
    if (GetParam() == End::cannot_be_launched) {
        harness.feed(SpawnFailed{worker, "execute ./srv", ENOENT});
    } else {
        harness.spawned(worker);
        harness.hello(worker);
    }
    if (GetParam() == End::exits) harness.exited(worker, 0);
    if (GetParam() == End::is_not_ready_in_time) harness.advance(60s);
    if (GetParam() == End::says_stopping) harness.stopping(worker);
    if (GetParam() == End::loses_its_main_process) harness.feed(MainExited{worker, ExitedWith{0}, 1, 0});
    if (GetParam() == End::settles_not) {
        harness.ready(worker);
        harness.advance(999ms);
        harness.exited(worker, 0);
    }
    EXPECT_EQ(harness.notes("rollout_failed").size(), 1U);
    EXPECT_EQ(harness.status().generation.value, 1U);
}
INSTANTIATE_TEST_SUITE_P(Each, FailureOfANewWorker,
                         ::testing::Values(End::exits, End::cannot_be_launched, End::is_not_ready_in_time,
                                           End::says_stopping, End::loses_its_main_process, End::settles_not));

// Between the commit and the answer.
TEST(Rollback, AfterTheCommitRecallsOldWorkersThatReleasedNothing) {
    CoreHarness harness = serving({}, 2);
    const WorkerId first = harness.status().workers.at(0).id;
    const WorkerId second = harness.status().workers.at(1).id;
    const RequestId restart = harness.ask(Restart{});
    harness.serve_all();
    harness.advance(1s);
    ASSERT_EQ(harness.count(WorkerState::draining), 2);
    Report releasing;
    releasing.releasing = true;
    harness.feed(Said{second, releasing});
    harness.exited(harness.worker(2, 0), 1);
    EXPECT_EQ(harness.stages_sent(first), (std::vector{Stage::drain, Stage::run}));
    EXPECT_EQ(harness.stages_sent(second), std::vector{Stage::drain});
    EXPECT_EQ(harness.state(first), WorkerState::draining);  // not ready before it confirms
    harness.accepting(first, true);
    EXPECT_EQ(harness.state(first), WorkerState::ready);
    // The other slot is refilled from the former spec.
    const Spawn refill = harness.all<Spawn>().back();
    EXPECT_EQ(refill.generation.value, 1U);
    EXPECT_EQ(refill.slot.value, 1U);
    EXPECT_EQ(refill.spec.value, 1U);
    harness.serve(refill.worker);
    harness.exit_all_leaving();
    EXPECT_EQ(harness.result(restart), Result::failed);
}

TEST(Rollback, KeepsReadyNewWorkersUntilFormerOnesAreReady) {
    Policy policy;
    policy.workers = 2;
    CoreHarness harness(policy);
    harness.serve_without_hello(harness.worker(1, 0));  // without HELLO=1 they cannot be recalled
    harness.serve_without_hello(harness.worker(1, 1));
    harness.ask(Restart{});
    harness.serve_all();
    harness.advance(1s);
    harness.exited(harness.worker(2, 0), 1);
    const WorkerId remaining = harness.worker(2, 1);
    EXPECT_EQ(harness.state(remaining), WorkerState::ready);
    harness.serve(harness.worker(1, 0));
    EXPECT_EQ(harness.state(remaining), WorkerState::ready);
    harness.serve(harness.worker(1, 1));
    EXPECT_EQ(harness.state(remaining), WorkerState::draining);
}

TEST(Rollback, DoesNotRecallAWorkerThatWasNeverReady) {
    CoreHarness harness = serving(one_by_one(), 2);
    harness.exited(harness.status().workers.at(0).id, 1);
    const WorkerId unready = harness.worker(1, 0);
    harness.spawned(unready);
    harness.hello(unready);
    harness.ask(Restart{});
    ASSERT_EQ(harness.stages_sent(unready), std::vector{Stage::drain});  // it makes room
    harness.exited(harness.worker(2, 0), 1);
    EXPECT_EQ(harness.stages_sent(unready), std::vector{Stage::drain});
    harness.accepting(unready, true);
    EXPECT_EQ(harness.state(unready), WorkerState::draining);
    EXPECT_EQ(harness.worker(1, 0).value, harness.all<Spawn>().back().worker.value);
    EXPECT_NE(harness.worker(1, 0), unready);
}

TEST(Rollback, DoesNotRecallAWorkerThatSentStopping) {
    CoreHarness harness = serving({}, 1);
    const WorkerId old = harness.status().workers.at(0).id;
    harness.ask(Restart{});
    harness.serve_all();
    harness.advance(1s);
    harness.stopping(old);
    harness.exited(harness.worker(2, 0), 1);
    EXPECT_EQ(harness.stages_sent(old), std::vector{Stage::drain});
    EXPECT_EQ(harness.all<Spawn>().back().generation.value, 1U);
}

TEST(Rollback, RefillsASlotWhoseRecalledWorkerDoesNotConfirm) {
    CoreHarness harness = serving({}, 1);
    const WorkerId old = harness.status().workers.at(0).id;
    harness.ask(Restart{});
    harness.serve_all();
    harness.advance(1s);
    harness.exited(harness.worker(2, 0), 1);
    EXPECT_EQ(harness.stages_sent(old), (std::vector{Stage::drain, Stage::run}));
    EXPECT_EQ(harness.all<Spawn>().size(), 1U);
    harness.advance(30s);  // the recall did not extend its deadline
    EXPECT_EQ(harness.state(old), WorkerState::cancelling);
    EXPECT_EQ(harness.all<Spawn>().size(), 2U);
    EXPECT_EQ(harness.all<Spawn>().back().generation.value, 1U);
}

TEST(Rollback, DoesNotWaitForARecalledWorkerThatHasReleased) {
    CoreHarness harness = serving({}, 1);
    const WorkerId old = harness.status().workers.at(0).id;
    harness.ask(Restart{});
    harness.serve_all();
    harness.advance(1s);
    harness.exited(harness.worker(2, 0), 1);
    Report releasing;
    releasing.releasing = true;
    harness.feed(Said{old, releasing});
    EXPECT_EQ(harness.all<Spawn>().back().generation.value, 1U);
    harness.accepting(old, true);
    EXPECT_EQ(harness.state(old), WorkerState::draining);
}

// Invariants 6 and 7: the answer comes in time and names what was not restored.
TEST(Rollback, ThatCannotRestoreTheFormerGenerationIsAnsweredMixedInTime) {
    CoreHarness harness = serving(one_by_one(), 2);
    const WorkerId gone = harness.status().workers.at(0).id;
    const RequestId restart = harness.ask(Restart{});
    harness.serve_all();
    harness.advance(1s);
    harness.exited(gone);
    const WorkerId new_one = harness.worker(2, 0);
    harness.exited(harness.worker(2, 1), 1);
    const Instant failed = harness.now();
    while (!harness.answer(restart) && harness.now() < failed + 1h) {
        const WorkerId refill = harness.worker(1, 0);
        if (harness.state(refill) == WorkerState::starting) {
            harness.feed(SpawnFailed{refill, "execute ./srv", ENOENT});
        }
        harness.advance(500ms);
    }
    ASSERT_EQ(harness.result(restart), Result::mixed);
    EXPECT_LE(harness.now() - failed, rollback_bound(one_by_one(), 2) + 500ms);
    EXPECT_NE(harness.answer(restart)->text.find("slot 0"), std::string::npos) << harness.answer(restart)->text;
    EXPECT_EQ(harness.state(new_one), WorkerState::ready);  // it continues to serve
    EXPECT_TRUE(harness.status().mixed);
    EXPECT_EQ(harness.phase(), Phase::serving);
}

TEST(Rollback, InterruptedByAStopSendsDrainToARecalledWorkerAgain) {
    CoreHarness harness = serving({}, 1);
    const WorkerId old = harness.status().workers.at(0).id;
    const RequestId restart = harness.ask(Restart{});
    harness.serve_all();
    harness.advance(1s);
    const Instant drained_at = harness.now();
    harness.exited(harness.worker(2, 0), 1);
    harness.advance(3s);
    harness.signal(Stop{});
    EXPECT_EQ(harness.result(restart), Result::interrupted);
    EXPECT_EQ(harness.stages_sent(old), (std::vector{Stage::drain, Stage::run, Stage::drain}));
    EXPECT_EQ(harness.all<Tell>().back().command.deadline_usec, to_usec(drained_at + 30s));
}

TEST(Rollback, SendsDrainAgainToARecalledWorkerThatSendsStopping) {
    CoreHarness harness = serving({}, 1);
    const WorkerId old = harness.status().workers.at(0).id;
    harness.ask(Restart{});
    harness.serve_all();
    harness.advance(1s);
    harness.exited(harness.worker(2, 0), 1);
    harness.stopping(old);
    EXPECT_EQ(harness.stages_sent(old), (std::vector{Stage::drain, Stage::run, Stage::drain}));
    harness.accepting(old, true);  // it handled run before it received the second drain
    EXPECT_EQ(harness.state(old), WorkerState::draining);
}

TEST(Rollback, KeepsTheFormerSpecAndForgetsTheFailedOne) {
    CoreHarness harness = serving({}, 1);
    harness.ask(Restart{});
    harness.exited(harness.worker(2, 0), 1);
    ASSERT_EQ(harness.all<ForgetSpec>().size(), 1U);
    EXPECT_EQ(harness.all<ForgetSpec>()[0].spec.value, 2U);
}

}  // namespace
}  // namespace holdfast::core::testing
