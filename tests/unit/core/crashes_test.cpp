#include <gtest/gtest.h>

#include <cerrno>

#include "tests/unit/core/bench.hpp"

namespace holdfast::core::testing {
namespace {

// How long the slot waited for the launch after the crash of its worker.
Duration crash(Bench& bench, int code) {
    const WorkerId worker = bench.worker(1, 0);
    const Instant start = bench.now();
    bench.exited(worker, code);
    while (bench.worker(1, 0) == worker) {
        if (!bench.next_deadline()) return Duration::max();
        bench.advance(*bench.next_deadline() - bench.now());
    }
    const Duration waited = bench.now() - start;
    bench.serve(bench.worker(1, 0));
    return waited;
}

TEST(Crash, IsAnyExitThatNobodyAskedForAndStatusZeroToo) {
    for (const int code : {0, 1}) {
        Policy policy;
        policy.workers = 1;
        Bench bench(policy);
        bench.serve(bench.worker(1, 0));
        EXPECT_EQ(crash(bench, code), 0s);
        EXPECT_EQ(bench.notes("worker_crashed").size(), 1U);
        EXPECT_EQ(bench.status().restarts, 1U);
        EXPECT_EQ(bench.status().slots.at(0).crashes_in_a_row, 1);
    }
}

TEST(Crash, BacksOffFromTheSecondInARow) {
    Policy policy;
    policy.workers = 1;
    Bench bench(policy);
    bench.serve(bench.worker(1, 0));
    EXPECT_EQ(crash(bench, 1), 0s);
    const Duration second = crash(bench, 1);
    EXPECT_GE(second, policy.backoff_min);
    EXPECT_LE(second, policy.backoff_min * 5 / 4);
    const Duration third = crash(bench, 1);
    EXPECT_GE(third, 2 * policy.backoff_min);
    EXPECT_EQ(bench.status().slots.at(0).crashes_in_a_row, 3);
}

TEST(Crash, IsForgivenAfterTenSecondsOfReady) {
    Policy policy;
    policy.workers = 1;
    Bench bench(policy);
    bench.serve(bench.worker(1, 0));
    crash(bench, 1);
    crash(bench, 1);
    bench.advance(backoff_reset_after - 1us);
    EXPECT_EQ(bench.status().slots.at(0).crashes_in_a_row, 2);
    bench.advance(1us);
    EXPECT_EQ(bench.status().slots.at(0).crashes_in_a_row, 0);
    EXPECT_EQ(crash(bench, 1), 0s);
}

TEST(Crash, OfALaunchCountsLikeAnyOther) {
    Policy policy;
    policy.workers = 1;
    Bench bench(policy);
    bench.serve(bench.worker(1, 0));
    crash(bench, 1);
    bench.exited(bench.worker(1, 0), 1);
    bench.advance(1s);
    const std::size_t before = bench.all<Spawn>().size();
    bench.feed(SpawnFailed{bench.worker(1, 0), "execute ./srv", EMFILE});
    EXPECT_EQ(bench.all<Spawn>().size(), before);  // it backs off
    EXPECT_EQ(bench.notes("spawn_failed"), std::vector<std::string>{"cannot execute ./srv: Too many open files"});
    bench.advance(2s);
    EXPECT_EQ(bench.all<Spawn>().size(), before + 1);
}

TEST(SpawnFailure, ThatSaysWhyInItsStageHasNoErrno) {
    Policy policy;
    policy.workers = 1;
    Bench bench(policy);
    bench.feed(SpawnFailed{bench.worker(1, 0), "find the user www: there is no such user", 0});
    EXPECT_EQ(bench.notes("spawn_failed"), std::vector<std::string>{"cannot find the user www: there is no such user"});
}

TEST(Crash, IsForgivenByAnOperatorsRequest) {
    Policy policy;
    policy.workers = 1;
    Bench bench(policy);
    bench.serve(bench.worker(1, 0));
    for (int i = 0; i < 5; ++i) crash(bench, 1);
    bench.exited(bench.worker(1, 0), 1);
    EXPECT_TRUE(bench.status().slots.at(0).next_attempt);
    const std::size_t before = bench.all<Spawn>().size();
    bench.ask(Scale{1});
    EXPECT_EQ(bench.all<Spawn>().size(), before + 1);
    EXPECT_EQ(bench.status().slots.at(0).crashes_in_a_row, 0);
}

TEST(Crash, IsWhatAWorkerEndsAsThatDoesNotGetReadyInTime) {
    Policy policy;
    policy.workers = 1;
    Bench bench(policy);
    bench.serve(bench.worker(1, 0));
    bench.exited(bench.worker(1, 0), 1);
    const WorkerId slow = bench.worker(1, 0);
    bench.spawned(slow);
    bench.hello(slow);
    bench.advance(policy.ready_timeout);
    EXPECT_EQ(bench.state(slow), WorkerState::draining);
    EXPECT_EQ(bench.all<Tell>().back().command.reason, Reason::unhealthy);
    EXPECT_EQ(bench.status().slots.at(0).crashes_in_a_row, 2);
    EXPECT_EQ(bench.worker(1, 0), slow);  // it backs off
    bench.advance(1s);
    EXPECT_NE(bench.worker(1, 0), slow);
}

TEST(Crash, IsALaunchThatHangsBeyondItsDeadline) {
    Policy policy;
    policy.workers = 1;
    Bench bench(policy);
    bench.serve(bench.worker(1, 0));
    bench.exited(bench.worker(1, 0), 1);
    const WorkerId stuck = bench.worker(1, 0);
    bench.advance(policy.ready_timeout);
    EXPECT_FALSE(bench.state(stuck));
    EXPECT_EQ(bench.notes("spawn_failed"), std::vector<std::string>{"cannot launch: Connection timed out"});
    EXPECT_EQ(bench.all<Forget>().back().worker, stuck);
}

TEST(OwnStop, BringsTheSuccessorAtOnceAndIsNoCrash) {
    Bench bench = serving({}, 1);
    const WorkerId worker = bench.status().workers.at(0).id;
    bench.advance(5s);
    bench.stopping(worker);
    EXPECT_EQ(bench.state(worker), WorkerState::draining);
    EXPECT_EQ(bench.all<Spawn>().size(), 1U);
    EXPECT_EQ(bench.told(worker), std::vector{Stage::drain});
    EXPECT_EQ(bench.status().slots.at(0).crashes_in_a_row, 0);
    bench.exited(worker);
    EXPECT_EQ(bench.all<Spawn>().size(), 1U);
    EXPECT_TRUE(bench.notes("worker_crashed").empty());
}

TEST(OwnStop, OverAndOverMakesNoBusyLoop) {
    Policy policy;
    policy.workers = 1;
    Bench bench(policy);
    for (int i = 0; i < 1'000 && bench.worker(1, 0).value < 900; ++i) {
        const WorkerId worker = bench.worker(1, 0);
        if (bench.state(worker) == WorkerState::starting) {
            bench.serve(worker);
            bench.stopping(worker);
            bench.exited(worker);
        }
        bench.advance(10ms);
    }
    EXPECT_LE(bench.all<Spawn>().size(), 8U);  // ten seconds
}

TEST(OwnStop, IsWhatAReleaseMeansThatNobodyAskedFor) {
    Bench bench = serving({}, 1);
    const WorkerId worker = bench.status().workers.at(0).id;
    bench.advance(5s);
    Report report;
    report.releasing = true;
    bench.feed(Said{worker, report});
    EXPECT_EQ(bench.state(worker), WorkerState::draining);
    EXPECT_EQ(bench.all<Spawn>().size(), 1U);
}

}  // namespace
}  // namespace holdfast::core::testing
