#include <gtest/gtest.h>

#include "core/bounds.hpp"
#include "tests/unit/core/core_harness.hpp"

namespace holdfast::core::testing {
namespace {

using Result = Outcome::Result;

TEST(Scale, UpFillsTheLowestFreeSlotsAndIsDoneWhenTheyAreReady) {
    CoreHarness harness = serving({}, 1);
    const RequestId scale = harness.ask(Scale{3});
    ASSERT_EQ(harness.all<Spawn>().size(), 2U);
    EXPECT_EQ(harness.all<Spawn>()[0].slot.value, 1U);
    EXPECT_EQ(harness.all<Spawn>()[1].slot.value, 2U);
    EXPECT_EQ(harness.all<Spawn>()[0].generation.value, 1U);
    harness.serve(harness.worker(1, 1));
    EXPECT_FALSE(harness.answer(scale));
    harness.serve(harness.worker(1, 2));
    EXPECT_EQ(harness.result(scale), Result::done);
}

TEST(Scale, DownRemovesTheHighestSlotsAndIsDoneWhenTheyAreGone) {
    CoreHarness harness = serving({}, 3);
    const RequestId scale = harness.ask(Scale{1});
    const Status status = harness.status();
    EXPECT_EQ(status.workers[0].state, WorkerState::ready);
    EXPECT_EQ(status.workers[1].state, WorkerState::draining);
    EXPECT_EQ(status.workers[2].state, WorkerState::draining);
    EXPECT_EQ(harness.all<Tell>().at(0).command.reason, Reason::scale);
    EXPECT_FALSE(harness.answer(scale));
    harness.exit_all_leaving();
    EXPECT_EQ(harness.result(scale), Result::done);
    EXPECT_TRUE(harness.all<Spawn>().empty());
}

TEST(Scale, HasALameDuckOnlyToZero) {
    Policy policy;
    policy.lame_duck = 5s;
    CoreHarness harness = serving(policy, 3);
    harness.ask(Scale{1});
    EXPECT_EQ(harness.count(WorkerState::draining), 2);
    harness.exit_all_leaving();
    harness.ask(Scale{0});
    EXPECT_EQ(harness.count(WorkerState::lame_duck), 1);
}

TEST(Scale, UpAgainRecallsAWorkerThatHasReleasedNothing) {
    Policy policy;
    policy.lame_duck = 5s;
    CoreHarness harness = serving(policy, 1);
    const WorkerId worker = harness.status().workers.at(0).id;
    harness.ask(Scale{0});
    const RequestId again = harness.ask(Scale{1});
    EXPECT_EQ(harness.stages_sent(worker), (std::vector{Stage::lame_duck, Stage::run}));
    EXPECT_TRUE(harness.all<Spawn>().empty());
    harness.accepting(worker, true);
    EXPECT_EQ(harness.result(again), Result::done);
}

TEST(Scale, ThatDoesNotGetReadyInTimeFailsAndNamesTheSlot) {
    Policy policy;
    policy.ready_timeout = 10s;
    CoreHarness harness = serving(policy, 1);
    const RequestId scale = harness.ask(Scale{2});
    const Instant start = harness.now();
    while (!harness.answer(scale) && harness.now() < start + 1h) {
        const WorkerId added = harness.worker(1, 1);
        if (harness.state(added) == WorkerState::starting) {
            harness.spawned(added);
            harness.exited(added, 4);
        }
        harness.advance(100ms);
    }
    EXPECT_EQ(harness.result(scale), Result::failed);
    EXPECT_LE(harness.now() - start, scale_bound(policy));
    EXPECT_NE(harness.answer(scale)->text.find("slot 1 (worker 1.1 exited with status 4)"), std::string::npos)
        << harness.answer(scale)->text;
    EXPECT_EQ(harness.answer(scale)->last_words, std::vector<std::string>{"last line"});
    EXPECT_EQ(harness.status().target, 2);  // the target is kept
    const std::size_t launches = harness.all<Spawn>().size();
    harness.advance(60s);
    EXPECT_GT(harness.all<Spawn>().size(), launches);  // the launch is retried
}

TEST(Scale, DuringAScaleSupersedesIt) {
    CoreHarness harness = serving({}, 1);
    const RequestId first = harness.ask(Scale{4});
    const RequestId second = harness.ask(Scale{2});
    EXPECT_EQ(harness.result(first), Result::superseded);
    harness.serve(harness.worker(1, 1));
    harness.exit_all_leaving();
    for (const WorkerStatus& worker : harness.status().workers) {
        if (worker.slot.value >= 2) harness.exited(worker.id);
    }
    EXPECT_EQ(harness.result(second), Result::done);
}

TEST(Scale, ByADifferenceCountsFromTheLatestTarget) {
    CoreHarness harness = serving({}, 1);
    harness.signal(ScaleBy{1});
    harness.signal(ScaleBy{1});
    EXPECT_EQ(harness.status().target, 3);
    harness.signal(ScaleBy{-1});
    EXPECT_EQ(harness.status().target, 2);
}

TEST(Scale, OutOfRangeIsRefusedWithTheRange) {
    CoreHarness harness = serving({}, 1);
    for (const int target : {-1, max_workers + 1}) {
        const RequestId scale = harness.ask(Scale{target});
        EXPECT_EQ(harness.result(scale), Result::refused);
        EXPECT_NE(harness.answer(scale)->text.find("0 to 4096"), std::string::npos);
    }
    const RequestId by = harness.ask(ScaleBy{-2});
    EXPECT_EQ(harness.result(by), Result::refused);
    const RequestId far = harness.ask(ScaleBy{std::numeric_limits<int>::max()});
    EXPECT_EQ(harness.result(far), Result::refused);
    EXPECT_EQ(harness.status().target, 1);
}

TEST(Scale, DuringARolloutIsQueued) {
    CoreHarness harness = serving({}, 1);
    const RequestId restart = harness.ask(Restart{});
    const RequestId scale = harness.ask(Scale{2});
    EXPECT_EQ(harness.status().target, 1);
    harness.serve_all();
    harness.advance(1s);
    harness.exit_all_leaving();
    EXPECT_EQ(harness.result(restart), Result::done);
    EXPECT_EQ(harness.status().target, 2);
    EXPECT_EQ(harness.all<Spawn>().back().generation.value, 2U);
    harness.serve_all();
    EXPECT_EQ(harness.result(scale), Result::done);
}

}  // namespace
}  // namespace holdfast::core::testing
