// Undo: reverts a restart or a stop in progress.

#include <gtest/gtest.h>

#include "tests/unit/core/core_harness.hpp"

namespace holdfast::core::testing {
namespace {

using Result = Outcome::Result;

TEST(Undo, OfARestartBeforeTheCommitDoesNotAffectOldWorkers) {
    CoreHarness harness = serving({}, 2);
    const RequestId restart = harness.ask(Restart{});
    harness.serve(harness.last_launched(0));
    const RequestId undo = harness.ask(Undo{});
    harness.exit_all_leaving();
    EXPECT_EQ(harness.result(restart), Result::undone);
    EXPECT_EQ(harness.result(undo), Result::done);
    EXPECT_TRUE(harness.stages_sent(harness.worker_of(0)).empty());
    EXPECT_EQ(harness.status().generation.value, 1U);
}

TEST(Undo, OfARestartRecallsWorkersThatReleasedNothingAndReplacesTheOthers) {
    CoreHarness harness = serving({}, 2);
    const WorkerId keeps = harness.worker_of(0), released = harness.worker_of(1);
    const RequestId restart = harness.ask(Restart{});
    harness.serve_all();
    harness.advance(1s);
    Report report;
    report.releasing = true;
    harness.feed(Said{released, report});
    harness.clear_actions();
    const RequestId undo = harness.ask(Undo{});
    EXPECT_EQ(harness.stages_sent(keeps), std::vector{Stage::run});
    ASSERT_EQ(harness.all<Spawn>().size(), 1U);
    EXPECT_EQ(harness.all<Spawn>()[0].generation.value, 1U);
    EXPECT_EQ(harness.all<Spawn>()[0].slot.value, 1U);
    harness.accepting(keeps, true);
    harness.serve(harness.last_launched(1));
    harness.exited(released);
    harness.exit_all_leaving();
    EXPECT_EQ(harness.result(undo), Result::done);
    EXPECT_EQ(harness.result(restart), Result::undone);
    EXPECT_EQ(harness.status().generation.value, 1U);
}

TEST(Undo, DropsTheQueuedRequests) {
    CoreHarness harness = serving({}, 1);
    harness.ask(Restart{});
    const RequestId waiting = harness.ask(Restart{});
    harness.ask(Undo{});
    EXPECT_EQ(harness.result(waiting), Result::undone);
}

TEST(Undo, RequestedTwiceIsAnsweredTwice) {
    CoreHarness harness = serving({}, 1);
    harness.ask(Restart{});
    const RequestId first = harness.ask(Undo{});
    const RequestId second = harness.ask(Undo{});
    harness.exited(harness.last_launched(0));
    EXPECT_EQ(harness.result(first), Result::done);
    EXPECT_EQ(harness.result(second), Result::done);
}

TEST(Undo, OfAStopRecallsOrReplacesTheWorkers) {
    CoreHarness harness = serving({}, 2);
    const WorkerId keeps = harness.worker_of(0), gone = harness.worker_of(1);
    const RequestId stop = harness.ask(Stop{});
    harness.exited(gone);
    harness.clear_actions();
    const RequestId undo = harness.ask(Undo{});
    EXPECT_EQ(harness.result(stop), Result::undone);
    EXPECT_EQ(harness.stages_sent(keeps), std::vector{Stage::run});
    ASSERT_EQ(harness.all<Spawn>().size(), 1U);
    EXPECT_FALSE(harness.answer(undo));
    harness.accepting(keeps, true);
    harness.serve(harness.last_launched(1));
    EXPECT_EQ(harness.result(undo), Result::done);
    EXPECT_EQ(harness.phase(), Phase::serving);
    EXPECT_FALSE(harness.exit_code());
}

TEST(Undo, OfAStopAcceptsConnectionsBeforeItLaunches) {
    CoreHarness harness = serving({}, 1);
    harness.ask(Stop{});
    harness.accepting(harness.worker_of(0), false);
    Report report;
    report.releasing = true;
    harness.feed(Said{harness.worker_of(0), report});
    ASSERT_EQ(harness.all<SetAdmission>().size(), 1U);
    harness.clear_actions();
    harness.ask(Undo{});
    ASSERT_EQ(harness.all<SetAdmission>().size(), 1U);
    EXPECT_EQ(harness.all<SetAdmission>()[0].admission, Admission::accept);
    EXPECT_LT(harness.index_of<SetAdmission>(), harness.index_of<Spawn>());
}

TEST(Undo, OfALongStopAcceptsConnectionsForARecalledWorker) {
    CoreHarness harness = serving({}, 1);
    harness.ask(Stop{});
    harness.accepting(harness.worker_of(0), false);
    harness.advance(Policy{}.queue_for + 1s);
    harness.clear_actions();
    harness.ask(Undo{});
    EXPECT_EQ(harness.stages_sent(harness.worker_of(0)), std::vector{Stage::run});
    ASSERT_EQ(harness.all<SetAdmission>().size(), 1U);
    EXPECT_EQ(harness.all<SetAdmission>()[0].admission, Admission::accept);
}

TEST(Undo, OfAStopDuringARestartReturnsToTheFormerGeneration) {
    CoreHarness harness = serving({}, 1);
    const WorkerId old = harness.worker_of(0);
    const RequestId restart = harness.ask(Restart{});
    harness.serve(harness.last_launched(0));
    harness.ask(Stop{});
    EXPECT_EQ(harness.result(restart), Result::interrupted);
    const RequestId undo = harness.ask(Undo{});
    harness.accepting(old, true);
    EXPECT_EQ(harness.result(undo), Result::done);
    EXPECT_EQ(harness.state(old), WorkerState::ready);
    harness.exit_all_leaving();
    EXPECT_EQ(harness.status().workers.size(), 1U);
}

TEST(Undo, IsRefusedIfNoChangeIsInProgress) {
    CoreHarness harness = serving({}, 1);
    EXPECT_EQ(harness.result(harness.ask(Undo{})), Result::refused);
}

TEST(Undo, IsRefusedIfTheServiceWasNeverReady) {
    Policy policy;
    CoreHarness harness(policy);
    harness.ask(Stop{});
    EXPECT_EQ(harness.result(harness.ask(Undo{})), Result::refused);
}

TEST(Undo, OfAStopFailsIfTheWorkersDoNotBecomeReady) {
    CoreHarness harness = serving({}, 1);
    harness.ask(Stop{});
    harness.clear_actions();
    const RequestId undo = harness.ask(Undo{});
    harness.exited(harness.worker_of(0));
    harness.advance(std::chrono::minutes(5));  // its replacement does not become ready
    EXPECT_EQ(harness.result(undo), Result::failed);
}

}  // namespace
}  // namespace holdfast::core::testing
