#include <gtest/gtest.h>

#include "tests/unit/core/bench.hpp"

namespace holdfast::core::testing {
namespace {

using Result = Outcome::Result;

void finish_rollout(Bench& bench) {
    bench.serve_all();
    bench.advance(1s);
    bench.exit_all_leaving();
}

// Invariant 4.
TEST(Restart, DuringARolloutWaitsAndAllWhoAskMeanwhileLearnTheOutcomeOfOne) {
    Bench bench = serving({}, 1);
    const RequestId first = bench.ask(Restart{});
    std::vector<RequestId> later;
    for (int i = 0; i < 9; ++i) later.push_back(bench.ask(Restart{}));
    EXPECT_EQ(bench.all<Spawn>().size(), 1U);
    finish_rollout(bench);
    EXPECT_EQ(bench.result(first), Result::done);
    for (const RequestId asker : later) EXPECT_FALSE(bench.answer(asker));
    EXPECT_EQ(bench.all<Spawn>().back().generation.value, 3U);
    finish_rollout(bench);
    for (const RequestId asker : later) EXPECT_EQ(bench.result(asker), Result::done);
    EXPECT_EQ(bench.notes("rollout_started").size(), 2U);
}

TEST(Restart, ThatWaitsGivesWayToARollbackAskedForLater) {
    Bench bench = serving({}, 1);
    bench.ask(Restart{});
    const RequestId waiting = bench.ask(Restart{});
    const RequestId rollback = bench.ask(Rollback{});
    EXPECT_EQ(bench.result(waiting), Result::superseded);
    finish_rollout(bench);
    EXPECT_EQ(bench.all<Prepare>().back().from, Prepare::From::kept);
    finish_rollout(bench);
    EXPECT_EQ(bench.result(rollback), Result::done);
}

TEST(Restart, DuringTheFirstGenerationWaitsForIt) {
    Policy policy;
    policy.workers = 1;
    Bench bench(policy);
    bench.signal(Restart{});
    EXPECT_EQ(bench.all<Spawn>().size(), 1U);
    bench.serve_all();
    EXPECT_EQ(bench.all<Spawn>().size(), 2U);
}

TEST(Restart, DuringAScaleWaitsAndLaterScalesWaitBehindIt) {
    Bench bench = serving({}, 1);
    const RequestId scale = bench.ask(Scale{2});
    const RequestId restart = bench.ask(Restart{});
    const RequestId later = bench.ask(Scale{3});
    EXPECT_EQ(bench.status().target, 2);
    bench.serve_all();
    EXPECT_EQ(bench.result(scale), Result::done);
    EXPECT_EQ(bench.phase(), Phase::rolling_out);
    finish_rollout(bench);
    EXPECT_EQ(bench.result(restart), Result::done);
    bench.serve_all();
    EXPECT_EQ(bench.result(later), Result::done);
}

TEST(Stop, InterruptsWhateverIsUnderWayOrWaits) {
    Bench bench = serving({}, 1);
    const RequestId restart = bench.ask(Restart{});
    const RequestId scale = bench.ask(Scale{2});
    const RequestId waiting = bench.ask(Restart{});
    bench.signal(Stop{});
    EXPECT_EQ(bench.result(restart), Result::interrupted);
    EXPECT_EQ(bench.result(scale), Result::interrupted);
    EXPECT_EQ(bench.result(waiting), Result::interrupted);
    EXPECT_EQ(bench.phase(), Phase::stopping);
}

TEST(Requests, AreRefusedWhileStopping) {
    Bench bench = serving({}, 1);
    bench.signal(Stop{});
    for (const RequestId id : {bench.ask(Restart{}), bench.ask(Scale{2}), bench.ask(Pause{}), bench.ask(Resume{})}) {
        EXPECT_EQ(bench.result(id), Result::refused);
    }
}

TEST(Requests, OfSignalsHaveNoAnswer) {
    Bench bench = serving({}, 1);
    bench.signal(Restart{});
    bench.signal(Restart{});
    bench.signal(Restart{});
    bench.signal(Stop{});
    bench.exit_all_leaving();
    EXPECT_TRUE(bench.all<Answer>().empty());
}

}  // namespace
}  // namespace holdfast::core::testing
