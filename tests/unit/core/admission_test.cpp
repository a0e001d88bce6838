#include <gtest/gtest.h>

#include "tests/unit/core/core_harness.hpp"

namespace holdfast::core::testing {
namespace {

std::vector<Admission> admissions(const CoreHarness& harness) {
    std::vector<Admission> found;
    for (const SetAdmission& set : harness.all<SetAdmission>()) found.push_back(set.admission);
    return found;
}

// Invariant 1, the part that is decided by the core.
TEST(ClientAdmission, RefusesDuringAStopOnceTheLastWorkerStopsAccepting) {
    CoreHarness harness = serving({}, 2);
    const Status status = harness.status();
    harness.signal(Stop{});
    EXPECT_TRUE(admissions(harness).empty());
    harness.accepting(status.workers[0].id, false);
    EXPECT_TRUE(admissions(harness).empty());
    harness.accepting(status.workers[1].id, false);
    EXPECT_EQ(admissions(harness), std::vector{Admission::refuse});
    harness.exit_all_leaving();
    EXPECT_EQ(admissions(harness).size(), 1U);
}

TEST(ClientAdmission, AcceptsWhileAWorkerWithoutHelloExists) {
    Policy policy;
    policy.workers = 1;
    CoreHarness harness(policy);
    harness.serve_without_hello(harness.worker(1, 0));
    harness.signal(Stop{});
    harness.advance(34s);
    EXPECT_EQ(harness.count(WorkerState::cancelling), 1);
    EXPECT_TRUE(admissions(harness).empty());
}

TEST(ClientAdmission, RefusesWhenAWorkerThatNeverReportedAcceptingIsCancelled) {
    CoreHarness harness = serving({}, 1);
    harness.signal(Stop{});
    harness.advance(29s);
    EXPECT_TRUE(admissions(harness).empty());
    harness.advance(1s);
    EXPECT_EQ(admissions(harness), std::vector{Admission::refuse});
}

TEST(ClientAdmission, AcceptsDuringBackoff) {
    CoreHarness harness = serving({}, 1);
    harness.exited(harness.status().workers.at(0).id, 1);
    harness.exited(harness.worker(1, 0), 1);
    EXPECT_TRUE(harness.status().workers.empty());
    EXPECT_TRUE(admissions(harness).empty());
}

TEST(ClientAdmission, AcceptsWhileAllWorkersArePaused) {
    CoreHarness harness = serving({}, 1);
    harness.ask(Pause{});
    harness.accepting(harness.status().workers.at(0).id, false);
    EXPECT_TRUE(admissions(harness).empty());
}

TEST(ClientAdmission, RefusesAtTargetZeroAndAcceptsBeforeTheNextLaunch) {
    CoreHarness harness = serving({}, 1);
    harness.ask(Scale{0});
    harness.exit_all_leaving();
    EXPECT_EQ(admissions(harness), std::vector{Admission::refuse});
    harness.ask(Scale{1});
    EXPECT_EQ(admissions(harness), (std::vector{Admission::refuse, Admission::accept}));
    std::vector<std::size_t> order;
    for (const auto& timed : harness.actions()) {
        if (std::holds_alternative<SetAdmission>(timed.action) || std::holds_alternative<Spawn>(timed.action)) {
            order.push_back(timed.action.index());
        }
    }
    ASSERT_EQ(order.size(), 3U);
    EXPECT_EQ(order.back(), Action{Spawn{}}.index());
}

TEST(ClientAdmission, AcceptsAgainForARecalledWorker) {
    CoreHarness harness = serving({}, 1);
    const WorkerId worker = harness.status().workers.at(0).id;
    harness.ask(Scale{0});
    harness.accepting(worker, false);
    EXPECT_EQ(admissions(harness), std::vector{Admission::refuse});
    harness.ask(Scale{1});
    EXPECT_EQ(admissions(harness), (std::vector{Admission::refuse, Admission::accept}));
    EXPECT_EQ(harness.stages_sent(worker).back(), Stage::run);
}

// Crashes the workers until none is left and the slots are in backoff.
void crash_until_backoff(CoreHarness& harness) {
    while (!harness.status().workers.empty()) harness.exited(harness.status().workers.at(0).id, 1);
}

Policy with_queue_for(Duration queue_for) {
    Policy policy;
    policy.queue_for = queue_for;
    policy.backoff_min = policy.backoff_max = 4s;
    return policy;
}

TEST(ClientAdmission, RefusesWhenNoWorkerHasServedForQueueFor) {
    CoreHarness harness = serving(with_queue_for(2s), 1);
    crash_until_backoff(harness);
    harness.advance(2s - 1us);
    EXPECT_TRUE(admissions(harness).empty());
    EXPECT_FALSE(harness.status().refusing);
    harness.advance(1us);
    EXPECT_EQ(admissions(harness), std::vector{Admission::refuse});
    EXPECT_TRUE(harness.status().refusing);
    EXPECT_FALSE(harness.status().ready);
    EXPECT_NE(harness.status().detail.find("new connections are refused"), std::string::npos);
    EXPECT_EQ(harness.notes("doors_closed").size(), 1U);
}

TEST(ClientAdmission, AcceptsBeforeEachLaunchAndRefusesAtOnceWhenItFails) {
    CoreHarness harness = serving(with_queue_for(2s), 1);
    crash_until_backoff(harness);
    harness.advance(4s);  // until the next launch
    EXPECT_EQ(admissions(harness), (std::vector{Admission::refuse, Admission::accept}));
    EXPECT_FALSE(harness.status().refusing);
    harness.exited(harness.worker(1, 0), 1);
    EXPECT_EQ(admissions(harness), (std::vector{Admission::refuse, Admission::accept, Admission::refuse}));
    harness.advance(4s);
    harness.serve_all();
    EXPECT_EQ(admissions(harness).back(), Admission::accept);
    EXPECT_TRUE(harness.status().ready);
}

TEST(ClientAdmission, RestartsQueueForAfterAWorkerHasServed) {
    CoreHarness harness = serving(with_queue_for(2s), 1);
    crash_until_backoff(harness);
    harness.advance(4s);
    harness.serve_all();
    harness.clear_actions();
    crash_until_backoff(harness);
    harness.advance(2s - 1us);
    EXPECT_TRUE(admissions(harness).empty());
    harness.advance(1us);
    EXPECT_EQ(admissions(harness), std::vector{Admission::refuse});
}

TEST(ClientAdmission, AcceptsWhileAWorkerIsStarting) {
    CoreHarness harness = serving(with_queue_for(2s), 1);
    harness.exited(harness.worker(1, 0), 1);
    harness.spawned(harness.worker(1, 0));
    harness.advance(59s);
    EXPECT_TRUE(admissions(harness).empty());
    harness.exited(harness.worker(1, 0), 1);
    EXPECT_EQ(admissions(harness), std::vector{Admission::refuse});
}

TEST(ClientAdmission, AcceptsWhileOneOfTwoWorkersServes) {
    CoreHarness harness = serving(with_queue_for(2s), 2);
    for (int i = 0; i < 4; ++i) {
        harness.exited(harness.worker(1, 1), 1);
        harness.advance(4s);
    }
    EXPECT_TRUE(admissions(harness).empty());
}

TEST(ClientAdmission, AcceptsWhileAWorkerWithoutHelloDrains) {
    CoreHarness harness = serving(with_queue_for(2s), 1);
    const WorkerId crashed = harness.worker(1, 0);
    harness.exited(crashed, 1);
    const WorkerId without_hello = harness.worker(1, 0);
    harness.serve_without_hello(without_hello);
    harness.feed(MainExited{without_hello, ExitedWith{1}, 1, 0});
    crash_until_backoff(harness);
    harness.clear_actions();
    EXPECT_TRUE(admissions(harness).empty());
}

}  // namespace
}  // namespace holdfast::core::testing
