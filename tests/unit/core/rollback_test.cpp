#include <gtest/gtest.h>

#include <cerrno>

#include "core/bounds.hpp"
#include "tests/unit/core/bench.hpp"

namespace holdfast::core::testing {
namespace {

using Result = Outcome::Result;

Policy one_by_one() {
    Policy policy;
    policy.max_surge = {1, false};
    return policy;
}

// Invariant 6, before the commit point: the former generation does not notice.
TEST(Rollback, BeforeTheCommitPointTouchesNoOldWorker) {
    Bench bench = serving({}, 2);
    const RequestId restart = bench.ask(Restart{});
    bench.serve(bench.worker(2, 0));
    const WorkerId healthy = bench.worker(2, 0);
    bench.exited(bench.worker(2, 1), 7);
    EXPECT_EQ(bench.phase(), Phase::rolling_back);
    EXPECT_EQ(bench.told(healthy), std::vector{Stage::drain});
    EXPECT_EQ(bench.all<Tell>().at(0).command.reason, Reason::rollback);
    EXPECT_FALSE(bench.answer(restart));  // new ones are still there
    bench.exited(healthy);
    EXPECT_EQ(bench.result(restart), Result::failed);
    EXPECT_EQ(bench.all<Tell>().size(), 1U);
    EXPECT_EQ(bench.all<Spawn>().size(), 2U);
    EXPECT_EQ(bench.status().generation.value, 1U);
}

TEST(Rollback, AnswersWithTheReasonAndTheLastWords) {
    Bench bench = serving({}, 1);
    const RequestId restart = bench.ask(Restart{});
    bench.spawned(bench.worker(2, 0));
    bench.exited(bench.worker(2, 0), 7);
    const auto outcome = bench.answer(restart);
    ASSERT_TRUE(outcome);
    EXPECT_EQ(outcome->result, Result::failed);
    EXPECT_NE(outcome->text.find("worker 2.0 exited with status 7"), std::string::npos) << outcome->text;
    EXPECT_EQ(outcome->last_words, std::vector<std::string>{"last line"});
    EXPECT_EQ(outcome->exit_code, 1);
}

enum class End { exits, cannot_be_launched, is_not_ready_in_time, says_stopping, loses_its_main_process, settles_not };
class UnaskedEnd : public ::testing::TestWithParam<End> {};

TEST_P(UnaskedEnd, OfANewWorkerFailsTheRollout) {
    Bench bench = serving({}, 1);
    bench.ask(Restart{});
    const WorkerId worker = bench.worker(2, 0);
    if (GetParam() == End::cannot_be_launched) {
        bench.feed(SpawnFailed{worker, "execute ./srv", ENOENT});
    } else {
        bench.spawned(worker);
        bench.hello(worker);
    }
    if (GetParam() == End::exits) bench.exited(worker, 0);
    if (GetParam() == End::is_not_ready_in_time) bench.advance(60s);
    if (GetParam() == End::says_stopping) bench.stopping(worker);
    if (GetParam() == End::loses_its_main_process) bench.feed(MainExited{worker, ExitedWith{0}, 1, 0});
    if (GetParam() == End::settles_not) {
        bench.ready(worker);
        bench.advance(999ms);
        bench.exited(worker, 0);
    }
    EXPECT_EQ(bench.notes("rollout_failed").size(), 1U);
    EXPECT_EQ(bench.status().generation.value, 1U);
}
INSTANTIATE_TEST_SUITE_P(Each, UnaskedEnd,
                         ::testing::Values(End::exits, End::cannot_be_launched, End::is_not_ready_in_time,
                                           End::says_stopping, End::loses_its_main_process, End::settles_not));

// Between the commit point and the answer.
TEST(Rollback, AfterTheCommitPointTellsOldOnesThatReleasedNothingToRun) {
    Bench bench = serving({}, 2);
    const WorkerId first = bench.status().workers.at(0).id;
    const WorkerId second = bench.status().workers.at(1).id;
    const RequestId restart = bench.ask(Restart{});
    bench.serve_all();
    bench.advance(1s);
    ASSERT_EQ(bench.count(WorkerState::draining), 2);
    Report releasing;
    releasing.releasing = true;
    bench.feed(Said{second, releasing});
    bench.exited(bench.worker(2, 0), 1);
    EXPECT_EQ(bench.told(first), (std::vector{Stage::drain, Stage::run}));
    EXPECT_EQ(bench.told(second), std::vector{Stage::drain});
    EXPECT_EQ(bench.state(first), WorkerState::draining);  // not ready before it says so
    bench.accepting(first, true);
    EXPECT_EQ(bench.state(first), WorkerState::ready);
    // The slot of the other is refilled as it was.
    const Spawn refill = bench.all<Spawn>().back();
    EXPECT_EQ(refill.generation.value, 1U);
    EXPECT_EQ(refill.slot.value, 1U);
    EXPECT_EQ(refill.spec.value, 1U);
    bench.serve(refill.worker);
    bench.exit_all_leaving();
    EXPECT_EQ(bench.result(restart), Result::failed);
}

TEST(Rollback, KeepsNewWorkersThatServeUntilFormerOnesCan) {
    Policy policy;
    policy.workers = 2;
    Bench bench(policy);
    bench.serve_mutely(bench.worker(1, 0));  // mute: they cannot be told to run
    bench.serve_mutely(bench.worker(1, 1));
    bench.ask(Restart{});
    bench.serve_all();
    bench.advance(1s);
    bench.exited(bench.worker(2, 0), 1);
    const WorkerId serving_on = bench.worker(2, 1);
    EXPECT_EQ(bench.state(serving_on), WorkerState::ready);
    bench.serve(bench.worker(1, 0));
    EXPECT_EQ(bench.state(serving_on), WorkerState::ready);
    bench.serve(bench.worker(1, 1));
    EXPECT_EQ(bench.state(serving_on), WorkerState::draining);
}

TEST(Rollback, DoesNotTakeBackWhoNeverServed) {
    Bench bench = serving(one_by_one(), 2);
    bench.exited(bench.status().workers.at(0).id, 1);
    const WorkerId unready = bench.worker(1, 0);
    bench.spawned(unready);
    bench.hello(unready);
    bench.ask(Restart{});
    ASSERT_EQ(bench.told(unready), std::vector{Stage::drain});  // it makes room
    bench.exited(bench.worker(2, 0), 1);
    EXPECT_EQ(bench.told(unready), std::vector{Stage::drain});
    bench.accepting(unready, true);
    EXPECT_EQ(bench.state(unready), WorkerState::draining);
    EXPECT_EQ(bench.worker(1, 0).value, bench.all<Spawn>().back().worker.value);
    EXPECT_NE(bench.worker(1, 0), unready);
}

TEST(Rollback, DoesNotTakeBackWhoSaidThatItStops) {
    Bench bench = serving({}, 1);
    const WorkerId old = bench.status().workers.at(0).id;
    bench.ask(Restart{});
    bench.serve_all();
    bench.advance(1s);
    bench.stopping(old);
    bench.exited(bench.worker(2, 0), 1);
    EXPECT_EQ(bench.told(old), std::vector{Stage::drain});
    EXPECT_EQ(bench.all<Spawn>().back().generation.value, 1U);
}

TEST(Rollback, RefillsASlotWhoseRecalledWorkerStaysSilent) {
    Bench bench = serving({}, 1);
    const WorkerId old = bench.status().workers.at(0).id;
    bench.ask(Restart{});
    bench.serve_all();
    bench.advance(1s);
    bench.exited(bench.worker(2, 0), 1);
    EXPECT_EQ(bench.told(old), (std::vector{Stage::drain, Stage::run}));
    EXPECT_EQ(bench.all<Spawn>().size(), 1U);
    bench.advance(30s);  // its deadline went on meanwhile
    EXPECT_EQ(bench.state(old), WorkerState::cancelling);
    EXPECT_EQ(bench.all<Spawn>().size(), 2U);
    EXPECT_EQ(bench.all<Spawn>().back().generation.value, 1U);
}

TEST(Rollback, DoesNotWaitForARecalledWorkerThatCrossedWithItsRelease) {
    Bench bench = serving({}, 1);
    const WorkerId old = bench.status().workers.at(0).id;
    bench.ask(Restart{});
    bench.serve_all();
    bench.advance(1s);
    bench.exited(bench.worker(2, 0), 1);
    Report releasing;
    releasing.releasing = true;
    bench.feed(Said{old, releasing});
    EXPECT_EQ(bench.all<Spawn>().back().generation.value, 1U);
    bench.accepting(old, true);
    EXPECT_EQ(bench.state(old), WorkerState::draining);
}

// Invariants 6 and 7: what cannot be brought back is said, in time.
TEST(Rollback, ThatCannotBringBackTheFormerGenerationIsAnsweredMixedInTime) {
    Bench bench = serving(one_by_one(), 2);
    const WorkerId gone = bench.status().workers.at(0).id;
    const RequestId restart = bench.ask(Restart{});
    bench.serve_all();
    bench.advance(1s);
    bench.exited(gone);
    const WorkerId new_one = bench.worker(2, 0);
    bench.exited(bench.worker(2, 1), 1);
    const Instant failed = bench.now();
    while (!bench.answer(restart) && bench.now() < failed + 1h) {
        const WorkerId refill = bench.worker(1, 0);
        if (bench.state(refill) == WorkerState::starting) {
            bench.feed(SpawnFailed{refill, "execute ./srv", ENOENT});
        }
        bench.advance(500ms);
    }
    ASSERT_EQ(bench.result(restart), Result::mixed);
    EXPECT_LE(bench.now() - failed, rollback_bound(one_by_one(), 2) + 500ms);
    EXPECT_NE(bench.answer(restart)->text.find("slot 0"), std::string::npos) << bench.answer(restart)->text;
    EXPECT_EQ(bench.state(new_one), WorkerState::ready);  // it serves on
    EXPECT_TRUE(bench.status().mixed);
    EXPECT_EQ(bench.phase(), Phase::serving);
}

TEST(Rollback, InterruptedByAStopTellsARecalledWorkerToDrainAgain) {
    Bench bench = serving({}, 1);
    const WorkerId old = bench.status().workers.at(0).id;
    const RequestId restart = bench.ask(Restart{});
    bench.serve_all();
    bench.advance(1s);
    const Instant told = bench.now();
    bench.exited(bench.worker(2, 0), 1);
    bench.advance(3s);
    bench.signal(Stop{});
    EXPECT_EQ(bench.result(restart), Result::interrupted);
    EXPECT_EQ(bench.told(old), (std::vector{Stage::drain, Stage::run, Stage::drain}));
    EXPECT_EQ(bench.all<Tell>().back().command.deadline_usec, to_usec(told + 30s));
}

TEST(Rollback, TellsARecalledWorkerThatStopsByItselfToDrainAgain) {
    Bench bench = serving({}, 1);
    const WorkerId old = bench.status().workers.at(0).id;
    bench.ask(Restart{});
    bench.serve_all();
    bench.advance(1s);
    bench.exited(bench.worker(2, 0), 1);
    bench.stopping(old);
    EXPECT_EQ(bench.told(old), (std::vector{Stage::drain, Stage::run, Stage::drain}));
    bench.accepting(old, true);  // it had obeyed the first word before it heard the second
    EXPECT_EQ(bench.state(old), WorkerState::draining);
}

TEST(Rollback, KeepsTheFormerSpecAndForgetsTheFailedOne) {
    Bench bench = serving({}, 1);
    bench.ask(Restart{});
    bench.exited(bench.worker(2, 0), 1);
    ASSERT_EQ(bench.all<ForgetSpec>().size(), 1U);
    EXPECT_EQ(bench.all<ForgetSpec>()[0].spec.value, 2U);
}

}  // namespace
}  // namespace holdfast::core::testing
