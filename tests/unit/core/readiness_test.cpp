#include <gtest/gtest.h>

#include "tests/unit/core/bench.hpp"

namespace holdfast::core::testing {
namespace {

Policy one_worker(ReadyWhen when) {
    Policy policy;
    policy.workers = 1;
    policy.ready_when = when;
    return policy;
}

TEST(Readiness, AutoTakesTheWordAtOnce) {
    Bench bench(one_worker(ReadyAuto{}));
    bench.serve_mutely(bench.worker(1, 0));
    EXPECT_EQ(bench.state(bench.worker(1, 0)), WorkerState::ready);
    EXPECT_TRUE(bench.notes("ready_by_time").empty());
}

TEST(Readiness, AutoLetsTimeStandInWhereNobodyEverSpokeAndSaysSoOnce) {
    Policy policy = one_worker(ReadyAuto{});
    policy.workers = 2;
    Bench bench(policy);
    bench.spawned(bench.worker(1, 0));
    bench.spawned(bench.worker(1, 1));
    bench.advance(auto_ready_after - 1us);
    EXPECT_EQ(bench.count(WorkerState::ready), 0);
    bench.advance(1us);
    EXPECT_EQ(bench.count(WorkerState::ready), 2);
    EXPECT_EQ(bench.notes("ready_by_time").size(), 1U);
}

TEST(Readiness, AutoCountsTimeFromTheLaunchAndNotFromAskingForIt) {
    Bench bench(one_worker(ReadyAuto{}));
    bench.advance(5s);
    EXPECT_EQ(bench.count(WorkerState::ready), 0);
    bench.spawned(bench.worker(1, 0));
    bench.advance(auto_ready_after);
    EXPECT_EQ(bench.count(WorkerState::ready), 1);
}

TEST(Readiness, AutoTakesSilenceForNotReadyOnceAnyWorkerSpoke) {
    Policy policy = one_worker(ReadyAuto{});
    policy.workers = 2;
    Bench bench(policy);
    bench.spawned(bench.worker(1, 0));
    bench.serve_mutely(bench.worker(1, 1));
    bench.advance(30s);
    EXPECT_EQ(bench.state(bench.worker(1, 0)), WorkerState::starting);
}

TEST(Readiness, AutoTakesHelloWithoutReadyForNotReady) {
    Bench bench(one_worker(ReadyAuto{}));
    bench.spawned(bench.worker(1, 0));
    bench.hello(bench.worker(1, 0));
    bench.advance(30s);
    EXPECT_EQ(bench.count(WorkerState::ready), 0);
}

TEST(Readiness, NotifyNeverTakesTimeForAnAnswer) {
    Bench bench(one_worker(ReadyNotify{}));
    bench.spawned(bench.worker(1, 0));
    bench.advance(59s);
    EXPECT_EQ(bench.count(WorkerState::ready), 0);
    bench.ready(bench.worker(1, 0));
    EXPECT_EQ(bench.count(WorkerState::ready), 1);
}

TEST(Readiness, AliveIsATimeWhateverTheWorkerSays) {
    Bench bench(one_worker(ReadyAlive{3s}));
    bench.serve_mutely(bench.worker(1, 0));
    EXPECT_EQ(bench.count(WorkerState::ready), 0);
    bench.advance(3s);
    EXPECT_EQ(bench.count(WorkerState::ready), 1);
    EXPECT_TRUE(bench.notes("ready_by_time").empty());
}

TEST(Readiness, SettlesAfterItsTimeAndNotBefore) {
    Policy policy = one_worker(ReadyAuto{});
    policy.settle = 2s;
    Bench bench(policy);
    bench.serve(bench.worker(1, 0));
    bench.advance(2s - 1us);
    EXPECT_FALSE(bench.status().workers.at(0).settled);
    bench.advance(1us);
    EXPECT_TRUE(bench.status().workers.at(0).settled);
    EXPECT_FALSE(bench.next_deadline());  // a service at rest has no deadline at all
}

TEST(Readiness, OfALaunchThatIsNotKnownYetFollowsFromTheWorkersWord) {
    Bench bench(one_worker(ReadyAuto{}));
    bench.hello(bench.worker(1, 0));
    bench.ready(bench.worker(1, 0));
    bench.spawned(bench.worker(1, 0));
    EXPECT_EQ(bench.count(WorkerState::ready), 1);
}

}  // namespace
}  // namespace holdfast::core::testing
