// Undo: a restart or a stop that is under way is taken back.

#include <gtest/gtest.h>

#include "tests/unit/core/bench.hpp"

namespace holdfast::core::testing {
namespace {

using Result = Outcome::Result;

TEST(Undo, OfARestartBeforeTheCommitLeavesTheOldOnesAlone) {
    Bench bench = serving({}, 2);
    const RequestId restart = bench.ask(Restart{});
    bench.serve(bench.last_launched(0));
    const RequestId undo = bench.ask(Undo{});
    bench.exit_all_leaving();
    EXPECT_EQ(bench.result(restart), Result::undone);
    EXPECT_EQ(bench.result(undo), Result::done);
    EXPECT_TRUE(bench.told(bench.worker_of(0)).empty());
    EXPECT_EQ(bench.status().generation.value, 1U);
}

TEST(Undo, OfARestartCallsBackWhoHasReleasedNothingAndReplacesTheOthers) {
    Bench bench = serving({}, 2);
    const WorkerId keeps = bench.worker_of(0), released = bench.worker_of(1);
    const RequestId restart = bench.ask(Restart{});
    bench.serve_all();
    bench.advance(1s);
    Report report;
    report.releasing = true;
    bench.feed(Said{released, report});
    bench.forget_actions();
    const RequestId undo = bench.ask(Undo{});
    EXPECT_EQ(bench.told(keeps), std::vector{Stage::run});
    ASSERT_EQ(bench.all<Spawn>().size(), 1U);
    EXPECT_EQ(bench.all<Spawn>()[0].generation.value, 1U);
    EXPECT_EQ(bench.all<Spawn>()[0].slot.value, 1U);
    bench.accepting(keeps, true);
    bench.serve(bench.last_launched(1));
    bench.exited(released);
    bench.exit_all_leaving();
    EXPECT_EQ(bench.result(undo), Result::done);
    EXPECT_EQ(bench.result(restart), Result::undone);
    EXPECT_EQ(bench.status().generation.value, 1U);
}

TEST(Undo, DropsWhatWaitsBehindTheRestart) {
    Bench bench = serving({}, 1);
    bench.ask(Restart{});
    const RequestId waiting = bench.ask(Restart{});
    bench.ask(Undo{});
    EXPECT_EQ(bench.result(waiting), Result::undone);
}

TEST(Undo, AskedForTwiceIsAnsweredTwice) {
    Bench bench = serving({}, 1);
    bench.ask(Restart{});
    const RequestId first = bench.ask(Undo{});
    const RequestId second = bench.ask(Undo{});
    bench.exited(bench.last_launched(0));
    EXPECT_EQ(bench.result(first), Result::done);
    EXPECT_EQ(bench.result(second), Result::done);
}

TEST(Undo, OfAStopBringsTheWorkersBack) {
    Bench bench = serving({}, 2);
    const WorkerId keeps = bench.worker_of(0), gone = bench.worker_of(1);
    const RequestId stop = bench.ask(Stop{});
    bench.exited(gone);
    bench.forget_actions();
    const RequestId undo = bench.ask(Undo{});
    EXPECT_EQ(bench.result(stop), Result::undone);
    EXPECT_EQ(bench.told(keeps), std::vector{Stage::run});
    ASSERT_EQ(bench.all<Spawn>().size(), 1U);
    EXPECT_FALSE(bench.answer(undo));
    bench.accepting(keeps, true);
    bench.serve(bench.last_launched(1));
    EXPECT_EQ(bench.result(undo), Result::done);
    EXPECT_EQ(bench.phase(), Phase::serving);
    EXPECT_FALSE(bench.exit_code());
}

TEST(Undo, OfAStopOpensTheDoorsAgainBeforeItLaunches) {
    Bench bench = serving({}, 1);
    bench.ask(Stop{});
    bench.accepting(bench.worker_of(0), false);
    Report report;
    report.releasing = true;
    bench.feed(Said{bench.worker_of(0), report});
    ASSERT_EQ(bench.all<SetDoors>().size(), 1U);
    bench.forget_actions();
    bench.ask(Undo{});
    ASSERT_EQ(bench.all<SetDoors>().size(), 1U);
    EXPECT_EQ(bench.all<SetDoors>()[0].doors, Doors::accept);
    EXPECT_LT(bench.index_of<SetDoors>(), bench.index_of<Spawn>());
}

TEST(Undo, OfALongStopLeavesTheDoorsOpenForWhoIsCalledBack) {
    Bench bench = serving({}, 1);
    bench.ask(Stop{});
    bench.accepting(bench.worker_of(0), false);
    bench.advance(Policy{}.queue_for + 1s);
    bench.forget_actions();
    bench.ask(Undo{});
    EXPECT_EQ(bench.told(bench.worker_of(0)), std::vector{Stage::run});
    ASSERT_EQ(bench.all<SetDoors>().size(), 1U);
    EXPECT_EQ(bench.all<SetDoors>()[0].doors, Doors::accept);
}

TEST(Undo, OfAStopInTheMiddleOfARestartGoesBackToTheFormerGeneration) {
    Bench bench = serving({}, 1);
    const WorkerId old = bench.worker_of(0);
    const RequestId restart = bench.ask(Restart{});
    bench.serve(bench.last_launched(0));
    bench.ask(Stop{});
    EXPECT_EQ(bench.result(restart), Result::interrupted);
    const RequestId undo = bench.ask(Undo{});
    bench.accepting(old, true);
    EXPECT_EQ(bench.result(undo), Result::done);
    EXPECT_EQ(bench.state(old), WorkerState::ready);
    bench.exit_all_leaving();
    EXPECT_EQ(bench.status().workers.size(), 1U);
}

TEST(Undo, IsRefusedWhereNothingIsUnderWay) {
    Bench bench = serving({}, 1);
    EXPECT_EQ(bench.result(bench.ask(Undo{})), Result::refused);
}

TEST(Undo, IsRefusedWhereNobodyEverServed) {
    Policy policy;
    Bench bench(policy);
    bench.ask(Stop{});
    EXPECT_EQ(bench.result(bench.ask(Undo{})), Result::refused);
}

TEST(Undo, OfAStopThatEndsWithoutTheWorkersSaysSo) {
    Bench bench = serving({}, 1);
    bench.ask(Stop{});
    bench.forget_actions();
    const RequestId undo = bench.ask(Undo{});
    bench.exited(bench.worker_of(0));
    bench.advance(std::chrono::minutes(5));  // the one that was launched instead never gets ready
    EXPECT_EQ(bench.result(undo), Result::failed);
}

}  // namespace
}  // namespace holdfast::core::testing
