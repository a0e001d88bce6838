// The preparation of a rollout: the launch spec is created, and --pre-restart may veto it.

#include <gtest/gtest.h>

#include "core/bounds.hpp"
#include "tests/unit/core/core_harness.hpp"

namespace holdfast::core::testing {
namespace {

using Result = Outcome::Result;

CoreHarness waiting_for_preparation() {
    CoreHarness harness = serving({}, 2);
    harness.preparation_fault.reset();
    return harness;
}

TEST(Preparation, PrecedesTheFirstLaunch) {
    CoreHarness harness = waiting_for_preparation();
    harness.ask(Restart{});
    ASSERT_EQ(harness.all<Prepare>().size(), 1U);
    EXPECT_EQ(harness.all<Prepare>()[0].from, Prepare::From::fresh);
    EXPECT_TRUE(harness.all<Spawn>().empty());
    harness.feed(Prepared{harness.all<Prepare>()[0].spec, {}, {}});
    EXPECT_EQ(harness.all<Spawn>().size(), 2U);
}

TEST(Preparation, ThatIsVetoedChangesNothingAndReportsTheReason) {
    CoreHarness harness = waiting_for_preparation();
    const RequestId restart = harness.ask(Restart{});
    harness.feed(
        Prepared{harness.all<Prepare>()[0].spec, "--pre-restart said no: exited with status 3", {"no such table"}});
    ASSERT_TRUE(harness.answer(restart));
    EXPECT_EQ(harness.answer(restart)->result, Result::refused);
    EXPECT_NE(harness.answer(restart)->exit_code, 0);
    EXPECT_EQ(harness.answer(restart)->last_words, std::vector<std::string>{"no such table"});
    EXPECT_EQ(harness.phase(), Phase::serving);
    EXPECT_TRUE(harness.all<Spawn>().empty());
    EXPECT_TRUE(harness.all<Tell>().empty());
    EXPECT_EQ(harness.all<ForgetSpec>().size(), 1U);
}

TEST(Preparation, HasATimeLimit) {
    CoreHarness harness = waiting_for_preparation();
    const RequestId restart = harness.ask(Restart{});
    harness.advance(prepare_bound(Policy{}));
    EXPECT_EQ(harness.result(restart), Result::refused);
    EXPECT_EQ(harness.all<AbandonPreparation>().size(), 1U);
    harness.feed(Prepared{harness.all<Prepare>()[0].spec, {}, {}});  // too late
    EXPECT_TRUE(harness.all<Spawn>().empty());
}

TEST(Preparation, DoesNotDelayTheReplacementOfACrashedWorker) {
    CoreHarness harness = waiting_for_preparation();
    harness.ask(Restart{});
    harness.exited(harness.status().workers.at(0).id, 1);
    ASSERT_EQ(harness.all<Spawn>().size(), 1U);
    EXPECT_EQ(harness.all<Spawn>()[0].generation.value, 1U);
}

TEST(Preparation, IsInterruptedByAStop) {
    CoreHarness harness = waiting_for_preparation();
    const RequestId restart = harness.ask(Restart{});
    harness.signal(Stop{});
    EXPECT_EQ(harness.result(restart), Result::interrupted);
    EXPECT_EQ(harness.all<AbandonPreparation>().size(), 1U);
    EXPECT_EQ(harness.count(WorkerState::draining), 2);
    harness.feed(Prepared{harness.all<Prepare>()[0].spec, {}, {}});
    EXPECT_TRUE(harness.all<Spawn>().empty());
}

TEST(Preparation, IsUndoneAtOnce) {
    CoreHarness harness = waiting_for_preparation();
    const RequestId restart = harness.ask(Restart{});
    const RequestId undo = harness.ask(Undo{});
    EXPECT_EQ(harness.result(restart), Result::undone);
    EXPECT_EQ(harness.result(undo), Result::done);
    EXPECT_EQ(harness.all<AbandonPreparation>().size(), 1U);
    EXPECT_EQ(harness.phase(), Phase::serving);
}

}  // namespace
}  // namespace holdfast::core::testing
