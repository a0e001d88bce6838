#include <gtest/gtest.h>

#include "core/bounds.hpp"
#include "tests/unit/core/bench.hpp"

namespace holdfast::core::testing {
namespace {

using Result = Outcome::Result;

Policy in_steps(int surge, int unavailable) {
    Policy policy;
    policy.max_surge = {surge, false};
    policy.max_unavailable = {unavailable, false};
    return policy;
}

int old_ready(const Bench& bench) {
    const Status status = bench.status();
    return static_cast<int>(std::count_if(status.workers.begin(), status.workers.end(), [](const WorkerStatus& worker) {
        return worker.generation.value == 1 && worker.state == WorkerState::ready;
    }));
}

TEST(Rollout, LaunchesAllNewWorkersBesideTheOldOnes) {
    Bench bench = serving({}, 3);
    bench.ask(Restart{});
    EXPECT_EQ(bench.phase(), Phase::rolling_out);
    const auto spawns = bench.all<Spawn>();
    ASSERT_EQ(spawns.size(), 3U);
    for (std::size_t slot = 0; slot < spawns.size(); ++slot) {
        EXPECT_EQ(spawns[slot].generation.value, 2U);
        EXPECT_EQ(spawns[slot].slot.value, slot);
        EXPECT_EQ(spawns[slot].spec.value, 2U);
    }
    EXPECT_EQ(old_ready(bench), 3);
}

TEST(Rollout, TellsNoOldWorkerToLeaveBeforeAllNewOnesHaveSettled) {
    Bench bench = serving({}, 3);
    bench.ask(Restart{});
    bench.serve(bench.worker(2, 0));
    bench.serve(bench.worker(2, 1));
    bench.advance(20s);
    EXPECT_EQ(old_ready(bench), 3);
    bench.serve(bench.worker(2, 2));
    bench.advance(1s - 1us);
    EXPECT_EQ(old_ready(bench), 3);
    EXPECT_TRUE(bench.notes("rollout_committed").empty());
    bench.advance(1us);
    EXPECT_EQ(old_ready(bench), 0);
    EXPECT_EQ(bench.notes("rollout_committed").size(), 1U);
}

// Invariant 9: done is said when it is.
TEST(Rollout, IsDoneWhenAllNewOnesHaveSettledAndAllOldOnesAreGone) {
    Bench bench = serving({}, 2);
    const RequestId restart = bench.ask(Restart{});
    bench.serve_all();
    bench.advance(1s);
    EXPECT_FALSE(bench.answer(restart));
    bench.exit_all_leaving();
    EXPECT_EQ(bench.result(restart), Result::done);
    EXPECT_EQ(bench.phase(), Phase::serving);
    EXPECT_EQ(bench.status().generation.value, 2U);
    EXPECT_TRUE(bench.all<ForgetSpec>().empty());  // a rollback may want it
}

TEST(Rollout, GoesStraightToDrainAndSaysRestart) {
    Policy policy;
    policy.lame_duck = 10s;
    Bench bench = serving(policy, 1);
    const WorkerId old = bench.status().workers.at(0).id;
    bench.ask(Restart{});
    bench.serve_all();
    bench.advance(1s);
    EXPECT_EQ(bench.told(old), std::vector{Stage::drain});
    EXPECT_EQ(bench.all<Tell>().at(0).command.reason, Reason::restart);
}

TEST(Rollout, MentionsOldWorkersThatHadToBeKilledAndIsDoneAllTheSame) {
    Bench bench = serving({}, 1);
    const WorkerId old = bench.status().workers.at(0).id;
    const RequestId restart = bench.ask(Restart{});
    bench.serve_all();
    bench.advance(1s + 35s);
    bench.exited(old, 9);
    EXPECT_EQ(bench.result(restart), Result::done);
    EXPECT_NE(bench.answer(restart)->text.find("1.0"), std::string::npos) << bench.answer(restart)->text;
}

// Invariant 3.
TEST(Rollout, InStepsKeepsToSurgeAndNeverFallsBelowTheTarget) {
    for (const auto& [surge, unavailable] : {std::pair{1, 0}, {2, 0}, {0, 0}, {0, 2}, {1, 1}, {3, 1}}) {
        Bench bench = serving(in_steps(surge, unavailable), 4);
        const RequestId restart = bench.ask(Restart{});
        const int least = 4 - (surge == 0 ? std::max(1, unavailable) : unavailable);
        for (int i = 0; i < 100 && !bench.answer(restart); ++i) {
            int staying = 0;
            int dependable = 0;
            for (const WorkerStatus& worker : bench.status().workers) {
                const bool is_ready = worker.state == WorkerState::ready;
                staying += is_ready || worker.state == WorkerState::starting ? 1 : 0;
                dependable += is_ready && (worker.settled || worker.generation.value == 1) ? 1 : 0;
            }
            EXPECT_LE(staying, 4 + surge);
            EXPECT_GE(dependable, least);
            if (i % 3 == 0) bench.serve_all();
            if (i % 3 == 1) bench.advance(500ms);
            if (i % 3 == 2) bench.exit_all_leaving();
        }
        EXPECT_EQ(bench.result(restart), Result::done) << surge << " " << unavailable;
    }
}

TEST(Rollout, WithoutSurgeMovesOneWorkerAtATime) {
    Bench bench = serving(in_steps(0, 0), 3);
    bench.ask(Restart{});
    EXPECT_EQ(old_ready(bench), 2);
    EXPECT_EQ(bench.all<Spawn>().size(), 1U);
    bench.serve_all();
    EXPECT_EQ(old_ready(bench), 2);  // not before it has settled
    bench.advance(1s);
    EXPECT_EQ(old_ready(bench), 1);
}

TEST(Rollout, ReplacesAnOldWorkerThatDiesByTheNewGeneration) {
    Bench bench = serving(in_steps(1, 0), 3);
    bench.ask(Restart{});
    ASSERT_EQ(bench.all<Spawn>().size(), 1U);
    const WorkerId last_old = bench.status().workers.at(2).id;
    bench.exited(last_old, 1);
    ASSERT_EQ(bench.all<Spawn>().size(), 2U);
    EXPECT_EQ(bench.all<Spawn>()[1].generation.value, 2U);
    EXPECT_EQ(bench.all<Spawn>()[1].slot.value, 2U);
}

TEST(Rollout, OfNoWorkersIsDoneAtOnce) {
    Bench bench = serving({}, 1);
    bench.ask(Scale{0});
    bench.exit_all_leaving();
    const RequestId restart = bench.ask(Restart{});
    EXPECT_EQ(bench.result(restart), Result::done);
}

TEST(Rollout, NeverUsesTheNumberOfAFailedGenerationAgain) {
    Bench bench = serving({}, 1);
    bench.ask(Restart{});
    bench.exited(bench.worker(2, 0), 1);
    bench.ask(Restart{});
    EXPECT_EQ(bench.all<Spawn>().back().generation.value, 3U);
}

}  // namespace
}  // namespace holdfast::core::testing
