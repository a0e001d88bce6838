#include <gtest/gtest.h>

#include "core/bounds.hpp"
#include "tests/unit/core/core_harness.hpp"

namespace holdfast::core::testing {
namespace {

using Result = Outcome::Result;

Policy in_steps(int surge, int unavailable) {
    Policy policy;
    policy.max_surge = {surge, false};
    policy.max_unavailable = {unavailable, false};
    return policy;
}

int old_ready(const CoreHarness& harness) {
    const Status status = harness.status();
    return static_cast<int>(std::count_if(status.workers.begin(), status.workers.end(), [](const WorkerStatus& worker) {
        return worker.generation.value == 1 && worker.state == WorkerState::ready;
    }));
}

TEST(Rollout, LaunchesAllNewWorkersBesideTheOldOnes) {
    CoreHarness harness = serving({}, 3);
    harness.ask(Restart{});
    EXPECT_EQ(harness.phase(), Phase::rolling_out);
    const auto spawns = harness.all<Spawn>();
    ASSERT_EQ(spawns.size(), 3U);
    for (std::size_t slot = 0; slot < spawns.size(); ++slot) {
        EXPECT_EQ(spawns[slot].generation.value, 2U);
        EXPECT_EQ(spawns[slot].slot.value, slot);
        EXPECT_EQ(spawns[slot].spec.value, 2U);
    }
    EXPECT_EQ(old_ready(harness), 3);
}

TEST(Rollout, DrainsNoOldWorkerBeforeAllNewOnesHaveSettled) {
    CoreHarness harness = serving({}, 3);
    harness.ask(Restart{});
    harness.serve(harness.worker(2, 0));
    harness.serve(harness.worker(2, 1));
    harness.advance(20s);
    EXPECT_EQ(old_ready(harness), 3);
    harness.serve(harness.worker(2, 2));
    harness.advance(1s - 1us);
    EXPECT_EQ(old_ready(harness), 3);
    EXPECT_TRUE(harness.notes("rollout_committed").empty());
    harness.advance(1us);
    EXPECT_EQ(old_ready(harness), 0);
    EXPECT_EQ(harness.notes("rollout_committed").size(), 1U);
}

// Invariant 9: the answer `done` is sent only when it is true.
TEST(Rollout, IsDoneWhenAllNewWorkersHaveSettledAndAllOldOnesAreGone) {
    CoreHarness harness = serving({}, 2);
    const RequestId restart = harness.ask(Restart{});
    harness.serve_all();
    harness.advance(1s);
    EXPECT_FALSE(harness.answer(restart));
    harness.exit_all_leaving();
    EXPECT_EQ(harness.result(restart), Result::done);
    EXPECT_EQ(harness.phase(), Phase::serving);
    EXPECT_EQ(harness.status().generation.value, 2U);
    EXPECT_TRUE(harness.all<ForgetSpec>().empty());  // it is a rollback target
}

TEST(Rollout, DrainsWithoutLameDuckAndWithReasonRestart) {
    Policy policy;
    policy.lame_duck = 10s;
    CoreHarness harness = serving(policy, 1);
    const WorkerId old = harness.status().workers.at(0).id;
    harness.ask(Restart{});
    harness.serve_all();
    harness.advance(1s);
    EXPECT_EQ(harness.stages_sent(old), std::vector{Stage::drain});
    EXPECT_EQ(harness.all<Tell>().at(0).command.reason, Reason::restart);
}

TEST(Rollout, NamesKilledOldWorkersInTheAnswerDone) {
    CoreHarness harness = serving({}, 1);
    const WorkerId old = harness.status().workers.at(0).id;
    const RequestId restart = harness.ask(Restart{});
    harness.serve_all();
    harness.advance(1s + 35s);
    harness.exited(old, 9);
    EXPECT_EQ(harness.result(restart), Result::done);
    EXPECT_NE(harness.answer(restart)->text.find("1.0"), std::string::npos) << harness.answer(restart)->text;
}

// Invariant 3.
TEST(Rollout, InStepsKeepsMaxSurgeAndMaxUnavailable) {
    for (const auto& [surge, unavailable] : {std::pair{1, 0}, {2, 0}, {0, 0}, {0, 2}, {1, 1}, {3, 1}}) {
        CoreHarness harness = serving(in_steps(surge, unavailable), 4);
        const RequestId restart = harness.ask(Restart{});
        const int least = 4 - (surge == 0 ? std::max(1, unavailable) : unavailable);
        for (int i = 0; i < 100 && !harness.answer(restart); ++i) {
            int staying = 0;
            int dependable = 0;
            for (const WorkerStatus& worker : harness.status().workers) {
                const bool is_ready = worker.state == WorkerState::ready;
                staying += is_ready || worker.state == WorkerState::starting ? 1 : 0;
                dependable += is_ready && (worker.settled || worker.generation.value == 1) ? 1 : 0;
            }
            EXPECT_LE(staying, 4 + surge);
            EXPECT_GE(dependable, least);
            if (i % 3 == 0) harness.serve_all();
            if (i % 3 == 1) harness.advance(500ms);
            if (i % 3 == 2) harness.exit_all_leaving();
        }
        EXPECT_EQ(harness.result(restart), Result::done) << surge << " " << unavailable;
    }
}

TEST(Rollout, WithoutSurgeReplacesOneWorkerAtATime) {
    CoreHarness harness = serving(in_steps(0, 0), 3);
    harness.ask(Restart{});
    EXPECT_EQ(old_ready(harness), 2);
    EXPECT_EQ(harness.all<Spawn>().size(), 1U);
    harness.serve_all();
    EXPECT_EQ(old_ready(harness), 2);  // not before it has settled
    harness.advance(1s);
    EXPECT_EQ(old_ready(harness), 1);
}

TEST(Rollout, ReplacesACrashedOldWorkerByTheNewGeneration) {
    CoreHarness harness = serving(in_steps(1, 0), 3);
    harness.ask(Restart{});
    ASSERT_EQ(harness.all<Spawn>().size(), 1U);
    const WorkerId last_old = harness.status().workers.at(2).id;
    harness.exited(last_old, 1);
    ASSERT_EQ(harness.all<Spawn>().size(), 2U);
    EXPECT_EQ(harness.all<Spawn>()[1].generation.value, 2U);
    EXPECT_EQ(harness.all<Spawn>()[1].slot.value, 2U);
}

TEST(Rollout, WithTargetZeroIsDoneAtOnce) {
    CoreHarness harness = serving({}, 1);
    harness.ask(Scale{0});
    harness.exit_all_leaving();
    const RequestId restart = harness.ask(Restart{});
    EXPECT_EQ(harness.result(restart), Result::done);
}

TEST(Rollout, DoesNotReuseTheNumberOfAFailedGeneration) {
    CoreHarness harness = serving({}, 1);
    harness.ask(Restart{});
    harness.exited(harness.worker(2, 0), 1);
    harness.ask(Restart{});
    EXPECT_EQ(harness.all<Spawn>().back().generation.value, 3U);
}

}  // namespace
}  // namespace holdfast::core::testing
