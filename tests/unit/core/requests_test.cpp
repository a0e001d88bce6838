#include <gtest/gtest.h>

#include "tests/unit/core/core_harness.hpp"

namespace holdfast::core::testing {
namespace {

using Result = Outcome::Result;

void finish_rollout(CoreHarness& harness) {
    harness.serve_all();
    harness.advance(1s);
    harness.exit_all_leaving();
}

// Invariant 4.
TEST(Restart, DuringARolloutIsQueuedAndCoalesced) {
    CoreHarness harness = serving({}, 1);
    const RequestId first = harness.ask(Restart{});
    std::vector<RequestId> later;
    for (int i = 0; i < 9; ++i) later.push_back(harness.ask(Restart{}));
    EXPECT_EQ(harness.all<Spawn>().size(), 1U);
    finish_rollout(harness);
    EXPECT_EQ(harness.result(first), Result::done);
    for (const RequestId asker : later) EXPECT_FALSE(harness.answer(asker));
    EXPECT_EQ(harness.all<Spawn>().back().generation.value, 3U);
    finish_rollout(harness);
    for (const RequestId asker : later) EXPECT_EQ(harness.result(asker), Result::done);
    EXPECT_EQ(harness.notes("rollout_started").size(), 2U);
}

TEST(Restart, ThatIsQueuedIsSupersededByARollback) {
    CoreHarness harness = serving({}, 1);
    harness.ask(Restart{});
    const RequestId waiting = harness.ask(Restart{});
    const RequestId rollback = harness.ask(Rollback{});
    EXPECT_EQ(harness.result(waiting), Result::superseded);
    finish_rollout(harness);
    EXPECT_EQ(harness.all<Prepare>().back().from, Prepare::From::kept);
    finish_rollout(harness);
    EXPECT_EQ(harness.result(rollback), Result::done);
}

TEST(Restart, DuringTheFirstGenerationIsQueued) {
    Policy policy;
    policy.workers = 1;
    CoreHarness harness(policy);
    harness.signal(Restart{});
    EXPECT_EQ(harness.all<Spawn>().size(), 1U);
    harness.serve_all();
    EXPECT_EQ(harness.all<Spawn>().size(), 2U);
}

TEST(Restart, DuringAScaleIsQueuedBeforeLaterScales) {
    CoreHarness harness = serving({}, 1);
    const RequestId scale = harness.ask(Scale{2});
    const RequestId restart = harness.ask(Restart{});
    const RequestId later = harness.ask(Scale{3});
    EXPECT_EQ(harness.status().target, 2);
    harness.serve_all();
    EXPECT_EQ(harness.result(scale), Result::done);
    EXPECT_EQ(harness.phase(), Phase::rolling_out);
    finish_rollout(harness);
    EXPECT_EQ(harness.result(restart), Result::done);
    harness.serve_all();
    EXPECT_EQ(harness.result(later), Result::done);
}

TEST(Stop, InterruptsTheRunningAndAllQueuedChanges) {
    CoreHarness harness = serving({}, 1);
    const RequestId restart = harness.ask(Restart{});
    const RequestId scale = harness.ask(Scale{2});
    const RequestId waiting = harness.ask(Restart{});
    harness.signal(Stop{});
    EXPECT_EQ(harness.result(restart), Result::interrupted);
    EXPECT_EQ(harness.result(scale), Result::interrupted);
    EXPECT_EQ(harness.result(waiting), Result::interrupted);
    EXPECT_EQ(harness.phase(), Phase::stopping);
}

TEST(Requests, AreRefusedWhileStopping) {
    CoreHarness harness = serving({}, 1);
    harness.signal(Stop{});
    for (const RequestId id :
         {harness.ask(Restart{}), harness.ask(Scale{2}), harness.ask(Pause{}), harness.ask(Resume{})}) {
        EXPECT_EQ(harness.result(id), Result::refused);
    }
}

TEST(Requests, BySignalGetNoAnswer) {
    CoreHarness harness = serving({}, 1);
    harness.signal(Restart{});
    harness.signal(Restart{});
    harness.signal(Restart{});
    harness.signal(Stop{});
    harness.exit_all_leaving();
    EXPECT_TRUE(harness.all<Answer>().empty());
}

}  // namespace
}  // namespace holdfast::core::testing
