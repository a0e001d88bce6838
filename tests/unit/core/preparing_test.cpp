// Before anything is launched in place of something else: the launch spec is made, and --pre-restart may veto.

#include <gtest/gtest.h>

#include "core/bounds.hpp"
#include "tests/unit/core/bench.hpp"

namespace holdfast::core::testing {
namespace {

using Result = Outcome::Result;

Bench waiting_for_preparation() {
    Bench bench = serving({}, 2);
    bench.preparation_fault.reset();
    return bench;
}

TEST(Preparation, ComesBeforeTheFirstLaunch) {
    Bench bench = waiting_for_preparation();
    bench.ask(Restart{});
    ASSERT_EQ(bench.all<Prepare>().size(), 1U);
    EXPECT_EQ(bench.all<Prepare>()[0].from, Prepare::From::fresh);
    EXPECT_TRUE(bench.all<Spawn>().empty());
    bench.feed(Prepared{bench.all<Prepare>()[0].spec, {}, {}});
    EXPECT_EQ(bench.all<Spawn>().size(), 2U);
}

TEST(Preparation, ThatIsVetoedChangesNothingAndSaysWhy) {
    Bench bench = waiting_for_preparation();
    const RequestId restart = bench.ask(Restart{});
    bench.feed(
        Prepared{bench.all<Prepare>()[0].spec, "--pre-restart said no: exited with status 3", {"no such table"}});
    ASSERT_TRUE(bench.answer(restart));
    EXPECT_EQ(bench.answer(restart)->result, Result::refused);
    EXPECT_NE(bench.answer(restart)->exit_code, 0);
    EXPECT_EQ(bench.answer(restart)->last_words, std::vector<std::string>{"no such table"});
    EXPECT_EQ(bench.phase(), Phase::serving);
    EXPECT_TRUE(bench.all<Spawn>().empty());
    EXPECT_TRUE(bench.all<Tell>().empty());
    EXPECT_EQ(bench.all<ForgetSpec>().size(), 1U);
}

TEST(Preparation, HasATimeLimit) {
    Bench bench = waiting_for_preparation();
    const RequestId restart = bench.ask(Restart{});
    bench.advance(prepare_bound(Policy{}));
    EXPECT_EQ(bench.result(restart), Result::refused);
    EXPECT_EQ(bench.all<AbandonPreparation>().size(), 1U);
    bench.feed(Prepared{bench.all<Prepare>()[0].spec, {}, {}});  // too late
    EXPECT_TRUE(bench.all<Spawn>().empty());
}

TEST(Preparation, IsNoReasonToLeaveACrashedWorkerUnreplaced) {
    Bench bench = waiting_for_preparation();
    bench.ask(Restart{});
    bench.exited(bench.status().workers.at(0).id, 1);
    ASSERT_EQ(bench.all<Spawn>().size(), 1U);
    EXPECT_EQ(bench.all<Spawn>()[0].generation.value, 1U);
}

TEST(Preparation, IsPreemptedByAStop) {
    Bench bench = waiting_for_preparation();
    const RequestId restart = bench.ask(Restart{});
    bench.signal(Stop{});
    EXPECT_EQ(bench.result(restart), Result::interrupted);
    EXPECT_EQ(bench.all<AbandonPreparation>().size(), 1U);
    EXPECT_EQ(bench.count(WorkerState::draining), 2);
    bench.feed(Prepared{bench.all<Prepare>()[0].spec, {}, {}});
    EXPECT_TRUE(bench.all<Spawn>().empty());
}

TEST(Preparation, IsUndoneAtOnce) {
    Bench bench = waiting_for_preparation();
    const RequestId restart = bench.ask(Restart{});
    const RequestId undo = bench.ask(Undo{});
    EXPECT_EQ(bench.result(restart), Result::undone);
    EXPECT_EQ(bench.result(undo), Result::done);
    EXPECT_EQ(bench.all<AbandonPreparation>().size(), 1U);
    EXPECT_EQ(bench.phase(), Phase::serving);
}

}  // namespace
}  // namespace holdfast::core::testing
