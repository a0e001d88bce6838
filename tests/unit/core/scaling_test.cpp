#include <gtest/gtest.h>

#include "core/bounds.hpp"
#include "tests/unit/core/bench.hpp"

namespace holdfast::core::testing {
namespace {

using Result = Outcome::Result;

TEST(Scale, UpFillsTheLowestFreeSlotsAndIsDoneWhenTheyAreReady) {
    Bench bench = serving({}, 1);
    const RequestId scale = bench.ask(Scale{3});
    ASSERT_EQ(bench.all<Spawn>().size(), 2U);
    EXPECT_EQ(bench.all<Spawn>()[0].slot.value, 1U);
    EXPECT_EQ(bench.all<Spawn>()[1].slot.value, 2U);
    EXPECT_EQ(bench.all<Spawn>()[0].generation.value, 1U);
    bench.serve(bench.worker(1, 1));
    EXPECT_FALSE(bench.answer(scale));
    bench.serve(bench.worker(1, 2));
    EXPECT_EQ(bench.result(scale), Result::done);
}

TEST(Scale, DownRemovesTheHighestSlotsAndIsDoneWhenTheyAreGone) {
    Bench bench = serving({}, 3);
    const RequestId scale = bench.ask(Scale{1});
    const Status status = bench.status();
    EXPECT_EQ(status.workers[0].state, WorkerState::ready);
    EXPECT_EQ(status.workers[1].state, WorkerState::draining);
    EXPECT_EQ(status.workers[2].state, WorkerState::draining);
    EXPECT_EQ(bench.all<Tell>().at(0).command.reason, Reason::scale);
    EXPECT_FALSE(bench.answer(scale));
    bench.exit_all_leaving();
    EXPECT_EQ(bench.result(scale), Result::done);
    EXPECT_TRUE(bench.all<Spawn>().empty());
}

TEST(Scale, ToZeroIsAnnouncedByALameDuckAndDownToMoreIsNot) {
    Policy policy;
    policy.lame_duck = 5s;
    Bench bench = serving(policy, 3);
    bench.ask(Scale{1});
    EXPECT_EQ(bench.count(WorkerState::draining), 2);
    bench.exit_all_leaving();
    bench.ask(Scale{0});
    EXPECT_EQ(bench.count(WorkerState::lame_duck), 1);
}

TEST(Scale, UpAgainTakesBackWhoHasReleasedNothing) {
    Policy policy;
    policy.lame_duck = 5s;
    Bench bench = serving(policy, 1);
    const WorkerId worker = bench.status().workers.at(0).id;
    bench.ask(Scale{0});
    const RequestId again = bench.ask(Scale{1});
    EXPECT_EQ(bench.told(worker), (std::vector{Stage::lame_duck, Stage::run}));
    EXPECT_TRUE(bench.all<Spawn>().empty());
    bench.accepting(worker, true);
    EXPECT_EQ(bench.result(again), Result::done);
}

TEST(Scale, ThatDoesNotGetReadyInTimeFailsAndNamesTheSlot) {
    Policy policy;
    policy.ready_timeout = 10s;
    Bench bench = serving(policy, 1);
    const RequestId scale = bench.ask(Scale{2});
    const Instant start = bench.now();
    while (!bench.answer(scale) && bench.now() < start + 1h) {
        const WorkerId added = bench.worker(1, 1);
        if (bench.state(added) == WorkerState::starting) {
            bench.spawned(added);
            bench.exited(added, 4);
        }
        bench.advance(100ms);
    }
    EXPECT_EQ(bench.result(scale), Result::failed);
    EXPECT_LE(bench.now() - start, scale_bound(policy));
    EXPECT_NE(bench.answer(scale)->text.find("slot 1 (worker 1.1 exited with status 4)"), std::string::npos)
        << bench.answer(scale)->text;
    EXPECT_EQ(bench.answer(scale)->last_words, std::vector<std::string>{"last line"});
    EXPECT_EQ(bench.status().target, 2);  // stays as asked for
    const std::size_t launches = bench.all<Spawn>().size();
    bench.advance(60s);
    EXPECT_GT(bench.all<Spawn>().size(), launches);  // and is tried on
}

TEST(Scale, DuringAScaleWinsAtOnceAndTheEarlierAskerIsTold) {
    Bench bench = serving({}, 1);
    const RequestId first = bench.ask(Scale{4});
    const RequestId second = bench.ask(Scale{2});
    EXPECT_EQ(bench.result(first), Result::superseded);
    bench.serve(bench.worker(1, 1));
    bench.exit_all_leaving();
    for (const WorkerStatus& worker : bench.status().workers) {
        if (worker.slot.value >= 2) bench.exited(worker.id);
    }
    EXPECT_EQ(bench.result(second), Result::done);
}

TEST(Scale, ByADifferenceCountsFromTheLatestTarget) {
    Bench bench = serving({}, 1);
    bench.signal(ScaleBy{1});
    bench.signal(ScaleBy{1});
    EXPECT_EQ(bench.status().target, 3);
    bench.signal(ScaleBy{-1});
    EXPECT_EQ(bench.status().target, 2);
}

TEST(Scale, OutOfRangeIsRefusedWithTheRange) {
    Bench bench = serving({}, 1);
    for (const int target : {-1, max_workers + 1}) {
        const RequestId scale = bench.ask(Scale{target});
        EXPECT_EQ(bench.result(scale), Result::refused);
        EXPECT_NE(bench.answer(scale)->text.find("0 to 4096"), std::string::npos);
    }
    const RequestId by = bench.ask(ScaleBy{-2});
    EXPECT_EQ(bench.result(by), Result::refused);
    const RequestId far = bench.ask(ScaleBy{std::numeric_limits<int>::max()});
    EXPECT_EQ(bench.result(far), Result::refused);
    EXPECT_EQ(bench.status().target, 1);
}

TEST(Scale, WaitsForARolloutAndThenHappens) {
    Bench bench = serving({}, 1);
    const RequestId restart = bench.ask(Restart{});
    const RequestId scale = bench.ask(Scale{2});
    EXPECT_EQ(bench.status().target, 1);
    bench.serve_all();
    bench.advance(1s);
    bench.exit_all_leaving();
    EXPECT_EQ(bench.result(restart), Result::done);
    EXPECT_EQ(bench.status().target, 2);
    EXPECT_EQ(bench.all<Spawn>().back().generation.value, 2U);
    bench.serve_all();
    EXPECT_EQ(bench.result(scale), Result::done);
}

}  // namespace
}  // namespace holdfast::core::testing
