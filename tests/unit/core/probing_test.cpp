#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/unit/core/core_harness.hpp"

namespace holdfast::core::testing {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;

constexpr auto good = ProbeAnswered::Answer::good;
constexpr auto bad = ProbeAnswered::Answer::bad;

Policy probed() {
    Policy policy;
    policy.ready_when = ReadyProbe{ReadyProbe::How::http, ReadyProbe::Where::private_listener, {}, "/health"};
    return policy;
}

// Returns a service with one worker that became ready by a probe.
CoreHarness serving_probed(Policy policy) {
    policy.workers = 1;
    CoreHarness harness(policy);
    harness.spawned(harness.worker(1, 0));
    harness.hello(harness.worker(1, 0));
    harness.probed(harness.worker(1, 0), good);
    harness.advance(policy.settle);
    harness.clear_actions();
    return harness;
}

// Begins a restart and makes its new worker ready by a probe.
WorkerId restart_until_ready(CoreHarness& harness, RequestId& restart) {
    restart = harness.ask(Restart{});
    const WorkerId next = harness.worker(2, 0);
    harness.spawned(next);
    harness.hello(next);
    harness.probed(next, good);
    EXPECT_EQ(harness.state(next), WorkerState::ready);
    return next;
}

TEST(Probe, IsSentOnceTheWorkerIsLaunched) {
    CoreHarness harness(probed());
    EXPECT_THAT(harness.all<Probe>(), IsEmpty());
    harness.spawned(harness.worker(1, 0));
    ASSERT_THAT(harness.all<Probe>(), SizeIs(1));
    EXPECT_EQ(harness.all<Probe>().front().worker, harness.worker(1, 0));
}

TEST(Probe, IsSentAgainOnlyAfterAnAnswer) {
    CoreHarness harness(probed());
    const WorkerId worker = harness.worker(1, 0);
    harness.spawned(worker);
    harness.advance(10s);
    EXPECT_THAT(harness.all<Probe>(), SizeIs(1));
    harness.probed(worker, bad, "connection refused");
    harness.advance(probe_every - 1us);
    EXPECT_THAT(harness.all<Probe>(), SizeIs(1));
    harness.advance(1us);
    EXPECT_THAT(harness.all<Probe>(), SizeIs(2));
}

TEST(Probe, IsRequiredForReadinessDespiteReady1) {
    CoreHarness harness(probed());
    const WorkerId worker = harness.worker(1, 0);
    harness.serve(worker);
    harness.advance(5s);
    EXPECT_EQ(harness.state(worker), WorkerState::starting);
    harness.probed(worker, good);
    EXPECT_EQ(harness.state(worker), WorkerState::ready);
}

TEST(Probe, IsNotSentToAnIdleService) {
    CoreHarness harness = serving_probed(probed());
    harness.advance(1h);
    EXPECT_THAT(harness.all<Probe>(), IsEmpty());
    EXPECT_FALSE(harness.next_deadline());
}

TEST(Probe, FailureIsNamedInTheReadyTimeout) {
    CoreHarness harness = serving_probed(probed());
    harness.exited(harness.worker(1, 0), 1);
    const WorkerId slow = harness.worker(1, 0);
    harness.spawned(slow);
    harness.probed(slow, bad, "connection refused");
    harness.advance(probe_every);
    harness.probed(slow, bad, "HTTP 500");
    EXPECT_EQ(harness.status().workers.at(0).probe, "HTTP 500");
    harness.advance(60s);
    EXPECT_EQ(harness.status().slots.at(0).last_failure,
              "worker 1.0 did not get ready within 60.0 s: the last probe said HTTP 500");
}

TEST(Probe, IsRepeatedUntilTheEndOfTheRollout) {
    Policy policy = probed();
    policy.probation = 1min;
    CoreHarness harness = serving_probed(policy);
    RequestId restart;
    const WorkerId next = restart_until_ready(harness, restart);
    for (int i = 0; i < 20; ++i) {
        harness.clear_actions();
        harness.advance(probe_every);
        ASSERT_THAT(harness.all<Probe>(), SizeIs(1)) << i;
        harness.probed(next, good);
    }
    EXPECT_EQ(harness.phase(), Phase::probation);
    for (int i = 0; i < 240 && harness.phase() == Phase::probation; ++i) {
        harness.advance(probe_every);
        harness.probed(next, good);
    }
    harness.exit_all_leaving();
    EXPECT_EQ(harness.result(restart), Outcome::Result::done);
    harness.probed(next, good);
    harness.clear_actions();
    harness.advance(1min);
    EXPECT_THAT(harness.all<Probe>(), IsEmpty());
}

TEST(Probe, FailingThreeTimesDuringProbationStartsARollback) {
    Policy policy = probed();
    policy.probation = 1min;
    CoreHarness harness = serving_probed(policy);
    const WorkerId old = harness.worker(1, 0);
    RequestId restart;
    const WorkerId next = restart_until_ready(harness, restart);
    for (int i = 0; i < 8; ++i) {
        harness.advance(probe_every);
        harness.probed(next, good);
    }
    ASSERT_EQ(harness.phase(), Phase::probation);
    for (int i = 0; i < probes_missed; ++i) {
        EXPECT_EQ(harness.state(next), WorkerState::ready);
        harness.advance(probe_every);
        harness.probed(next, bad, "HTTP 500");
    }
    EXPECT_EQ(harness.stages_sent(old), (std::vector{Stage::pause, Stage::run}));
    harness.accepting(old, true);
    harness.exited(next);
    ASSERT_TRUE(harness.answer(restart));
    EXPECT_EQ(harness.result(restart), Outcome::Result::failed);
    EXPECT_THAT(harness.answer(restart)->text,
                HasSubstr("worker 2.0 failed 3 probes in a row: the last one said HTTP 500"));
}

TEST(Probe, ThatSucceedsResetsTheFailureCount) {
    Policy policy = probed();
    policy.settle = 1h;
    CoreHarness harness = serving_probed(policy);
    RequestId restart;
    const WorkerId next = restart_until_ready(harness, restart);
    for (int i = 0; i < 12; ++i) {
        harness.advance(probe_every);
        harness.probed(next, i % probes_missed == 2 ? good : bad, "no answer within 1.0 s");
    }
    EXPECT_EQ(harness.state(next), WorkerState::ready);
}

TEST(Probe, UnexpectedAnswersAreIgnored) {
    CoreHarness harness = serving_probed(probed());
    const WorkerId worker = harness.worker(1, 0);
    for (int i = 0; i < 5; ++i) harness.probed(worker, bad, "HTTP 500");
    EXPECT_EQ(harness.state(worker), WorkerState::ready);
    harness.exited(worker, 1);
    const WorkerId next = harness.worker(1, 0);
    harness.spawned(next);
    harness.exited(next, 1);
    harness.clear_actions();
    harness.probed(next, good);
    harness.probed(worker, good);
    EXPECT_THAT(harness.actions(), IsEmpty());
}

TEST(Probe, AnswerOfALeavingWorkerIsIgnored) {
    CoreHarness harness(probed());
    const WorkerId worker = harness.worker(1, 0);
    harness.spawned(worker);
    harness.signal(Stop{});
    harness.probed(worker, good);
    EXPECT_EQ(harness.state(worker), WorkerState::draining);
}

}  // namespace
}  // namespace holdfast::core::testing
