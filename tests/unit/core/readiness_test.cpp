#include <gtest/gtest.h>

#include "tests/unit/core/core_harness.hpp"

namespace holdfast::core::testing {
namespace {

Policy one_worker(ReadyWhen when) {
    Policy policy;
    policy.workers = 1;
    policy.ready_when = when;
    return policy;
}

TEST(Readiness, AutoAcceptsReady1AtOnce) {
    CoreHarness harness(one_worker(ReadyAuto{}));
    harness.serve_without_hello(harness.worker(1, 0));
    EXPECT_EQ(harness.state(harness.worker(1, 0)), WorkerState::ready);
    EXPECT_TRUE(harness.notes("ready_by_time").empty());
}

TEST(Readiness, AutoUsesTimeIfNoWorkerEverSentAMessageAndLogsItOnce) {
    Policy policy = one_worker(ReadyAuto{});
    policy.workers = 2;
    CoreHarness harness(policy);
    harness.spawned(harness.worker(1, 0));
    harness.spawned(harness.worker(1, 1));
    harness.advance(auto_ready_after - 1us);
    EXPECT_EQ(harness.count(WorkerState::ready), 0);
    harness.advance(1us);
    EXPECT_EQ(harness.count(WorkerState::ready), 2);
    EXPECT_EQ(harness.notes("ready_by_time").size(), 1U);
}

TEST(Readiness, AutoCountsTimeFromSpawnedNotFromSpawn) {
    CoreHarness harness(one_worker(ReadyAuto{}));
    harness.advance(5s);
    EXPECT_EQ(harness.count(WorkerState::ready), 0);
    harness.spawned(harness.worker(1, 0));
    harness.advance(auto_ready_after);
    EXPECT_EQ(harness.count(WorkerState::ready), 1);
}

TEST(Readiness, AutoRequiresReady1OnceAnyWorkerSentIt) {
    Policy policy = one_worker(ReadyAuto{});
    policy.workers = 2;
    CoreHarness harness(policy);
    harness.spawned(harness.worker(1, 0));
    harness.serve_without_hello(harness.worker(1, 1));
    harness.advance(30s);
    EXPECT_EQ(harness.state(harness.worker(1, 0)), WorkerState::starting);
}

TEST(Readiness, AutoRequiresReady1AfterHello) {
    CoreHarness harness(one_worker(ReadyAuto{}));
    harness.spawned(harness.worker(1, 0));
    harness.hello(harness.worker(1, 0));
    harness.advance(30s);
    EXPECT_EQ(harness.count(WorkerState::ready), 0);
}

TEST(Readiness, NotifyNeverUsesTime) {
    CoreHarness harness(one_worker(ReadyNotify{}));
    harness.spawned(harness.worker(1, 0));
    harness.advance(59s);
    EXPECT_EQ(harness.count(WorkerState::ready), 0);
    harness.ready(harness.worker(1, 0));
    EXPECT_EQ(harness.count(WorkerState::ready), 1);
}

TEST(Readiness, AliveIgnoresReady1) {
    CoreHarness harness(one_worker(ReadyAlive{3s}));
    harness.serve_without_hello(harness.worker(1, 0));
    EXPECT_EQ(harness.count(WorkerState::ready), 0);
    harness.advance(3s);
    EXPECT_EQ(harness.count(WorkerState::ready), 1);
    EXPECT_TRUE(harness.notes("ready_by_time").empty());
}

TEST(Readiness, SettlesExactlyAfterSettle) {
    Policy policy = one_worker(ReadyAuto{});
    policy.settle = 2s;
    CoreHarness harness(policy);
    harness.serve(harness.worker(1, 0));
    harness.advance(2s - 1us);
    EXPECT_FALSE(harness.status().workers.at(0).settled);
    harness.advance(1us);
    EXPECT_TRUE(harness.status().workers.at(0).settled);
    EXPECT_FALSE(harness.next_deadline());  // an idle service has no deadline
}

TEST(Readiness, AcceptsMessagesBeforeSpawned) {
    CoreHarness harness(one_worker(ReadyAuto{}));
    harness.hello(harness.worker(1, 0));
    harness.ready(harness.worker(1, 0));
    harness.spawned(harness.worker(1, 0));
    EXPECT_EQ(harness.count(WorkerState::ready), 1);
}

}  // namespace
}  // namespace holdfast::core::testing
