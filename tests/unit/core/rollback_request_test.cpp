// holdfast rollback: launches the program of the last good generation again.

#include <gtest/gtest.h>

#include "tests/unit/core/core_harness.hpp"

namespace holdfast::core::testing {
namespace {

using Result = Outcome::Result;

RequestId restart(CoreHarness& harness) {
    const RequestId id = harness.ask(Restart{});
    harness.serve_all();
    harness.advance(1s);
    harness.exit_all_leaving();
    return id;
}

TEST(RollbackRequest, LaunchesANewGenerationFromTheKeptSpec) {
    CoreHarness harness = serving({}, 2);
    restart(harness);
    harness.clear_actions();
    const RequestId rollback = harness.ask(Rollback{});
    ASSERT_EQ(harness.all<Prepare>().size(), 1U);
    EXPECT_EQ(harness.all<Prepare>()[0].from, Prepare::From::kept);
    EXPECT_EQ(harness.all<Prepare>()[0].spec.value, 1U);
    ASSERT_EQ(harness.all<Spawn>().size(), 2U);
    EXPECT_EQ(harness.all<Spawn>()[0].generation.value, 3U);
    EXPECT_EQ(harness.all<Spawn>()[0].spec.value, 1U);
    harness.serve_all();
    harness.advance(1s);
    harness.exit_all_leaving();
    EXPECT_EQ(harness.result(rollback), Result::done);
    EXPECT_EQ(harness.all<ForgetSpec>().size(), 1U);  // the spec that was rolled back from
}

TEST(RollbackRequest, IsRefusedIfThereIsNoTarget) {
    CoreHarness harness = serving({}, 1);
    const RequestId rollback = harness.ask(Rollback{});
    EXPECT_EQ(harness.result(rollback), Result::refused);
    EXPECT_TRUE(harness.all<Prepare>().empty());
}

TEST(RollbackRequest, NeverReturnsToAFailedGeneration) {
    CoreHarness harness = serving({}, 1);
    restart(harness);
    harness.ask(Restart{});
    harness.exited(harness.last_launched(0), 1);
    harness.ask(Rollback{});
    EXPECT_EQ(harness.all<Prepare>().back().spec.value, 1U);
}

TEST(RollbackRequest, AfterARollbackReturnsToTheGenerationBefore) {
    CoreHarness harness = serving({}, 1);
    restart(harness);
    restart(harness);
    for (const std::uint64_t spec : {2U, 1U}) {
        harness.ask(Rollback{});
        EXPECT_EQ(harness.all<Prepare>().back().spec.value, spec);
        harness.serve_all();
        harness.advance(1s);
        harness.exit_all_leaving();
    }
    EXPECT_EQ(harness.result(harness.ask(Rollback{})), Result::refused);
}

TEST(RollbackRequest, KeepsAtMostThreeTargets) {
    CoreHarness harness = serving({}, 1);
    for (int i = 0; i < 5; ++i) restart(harness);
    ASSERT_EQ(harness.all<ForgetSpec>().size(), 2U);
    EXPECT_EQ(harness.all<ForgetSpec>()[1].spec.value, 2U);
}

TEST(RollbackRequest, ToAChangedProgramIsRefusedWithTheReason) {
    CoreHarness harness = serving({}, 1);
    restart(harness);
    harness.preparation_fault = "cannot roll back: ./srv was overwritten in place";
    const RequestId rollback = harness.ask(Rollback{});
    EXPECT_EQ(harness.result(rollback), Result::refused);
    EXPECT_NE(harness.answer(rollback)->text.find("overwritten in place"), std::string::npos);
    harness.preparation_fault = "";
    EXPECT_FALSE(harness.result(harness.ask(Rollback{})));  // the target is still available
}

}  // namespace
}  // namespace holdfast::core::testing
