#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/unit/core/bench.hpp"

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

// One worker that the probe found ready.
Bench serving_probed(Policy policy) {
    policy.workers = 1;
    Bench bench(policy);
    bench.spawned(bench.worker(1, 0));
    bench.hello(bench.worker(1, 0));
    bench.probed(bench.worker(1, 0), good);
    bench.advance(policy.settle);
    bench.forget_actions();
    return bench;
}

// A restart whose new worker answered well once.
WorkerId restart_until_ready(Bench& bench, RequestId& restart) {
    restart = bench.ask(Restart{});
    const WorkerId next = bench.worker(2, 0);
    bench.spawned(next);
    bench.hello(next);
    bench.probed(next, good);
    EXPECT_EQ(bench.state(next), WorkerState::ready);
    return next;
}

TEST(Probe, IsAskedOnceTheWorkerRunsAndNotBefore) {
    Bench bench(probed());
    EXPECT_THAT(bench.all<Probe>(), IsEmpty());
    bench.spawned(bench.worker(1, 0));
    ASSERT_THAT(bench.all<Probe>(), SizeIs(1));
    EXPECT_EQ(bench.all<Probe>().front().worker, bench.worker(1, 0));
}

TEST(Probe, IsAskedAgainAfterEachAnswerAndNeverTwiceAtATime) {
    Bench bench(probed());
    const WorkerId worker = bench.worker(1, 0);
    bench.spawned(worker);
    bench.advance(10s);
    EXPECT_THAT(bench.all<Probe>(), SizeIs(1));
    bench.probed(worker, bad, "connection refused");
    bench.advance(probe_every - 1us);
    EXPECT_THAT(bench.all<Probe>(), SizeIs(1));
    bench.advance(1us);
    EXPECT_THAT(bench.all<Probe>(), SizeIs(2));
}

TEST(Probe, MakesAWorkerReadyAndItsWordAloneDoesNot) {
    Bench bench(probed());
    const WorkerId worker = bench.worker(1, 0);
    bench.serve(worker);
    bench.advance(5s);
    EXPECT_EQ(bench.state(worker), WorkerState::starting);
    bench.probed(worker, good);
    EXPECT_EQ(bench.state(worker), WorkerState::ready);
}

TEST(Probe, IsNotAskedOfAServiceAtRest) {
    Bench bench = serving_probed(probed());
    bench.advance(1h);
    EXPECT_THAT(bench.all<Probe>(), IsEmpty());
    EXPECT_FALSE(bench.next_deadline());
}

TEST(Probe, SaysInTheTimeoutWhatTheLastOneFound) {
    Bench bench = serving_probed(probed());
    bench.exited(bench.worker(1, 0), 1);
    const WorkerId slow = bench.worker(1, 0);
    bench.spawned(slow);
    bench.probed(slow, bad, "connection refused");
    bench.advance(probe_every);
    bench.probed(slow, bad, "HTTP 500");
    EXPECT_EQ(bench.status().workers.at(0).probe, "HTTP 500");
    bench.advance(60s);
    EXPECT_EQ(bench.status().slots.at(0).last_failure,
              "worker 1.0 did not get ready within 60.0 s: the last probe said HTTP 500");
}

TEST(Probe, IsAskedOnUntilTheRolloutIsOver) {
    Policy policy = probed();
    policy.probation = 1min;
    Bench bench = serving_probed(policy);
    RequestId restart;
    const WorkerId next = restart_until_ready(bench, restart);
    for (int i = 0; i < 20; ++i) {
        bench.forget_actions();
        bench.advance(probe_every);
        ASSERT_THAT(bench.all<Probe>(), SizeIs(1)) << i;
        bench.probed(next, good);
    }
    EXPECT_EQ(bench.phase(), Phase::probation);
    for (int i = 0; i < 240 && bench.phase() == Phase::probation; ++i) {
        bench.advance(probe_every);
        bench.probed(next, good);
    }
    bench.exit_all_leaving();
    EXPECT_EQ(bench.result(restart), Outcome::Result::done);
    bench.probed(next, good);
    bench.forget_actions();
    bench.advance(1min);
    EXPECT_THAT(bench.all<Probe>(), IsEmpty());
}

TEST(Probe, ThatFailsThriceInARowDuringProbationBringsTheOldOneBack) {
    Policy policy = probed();
    policy.probation = 1min;
    Bench bench = serving_probed(policy);
    const WorkerId old = bench.worker(1, 0);
    RequestId restart;
    const WorkerId next = restart_until_ready(bench, restart);
    for (int i = 0; i < 8; ++i) {
        bench.advance(probe_every);
        bench.probed(next, good);
    }
    ASSERT_EQ(bench.phase(), Phase::probation);
    for (int i = 0; i < probes_missed; ++i) {
        EXPECT_EQ(bench.state(next), WorkerState::ready);
        bench.advance(probe_every);
        bench.probed(next, bad, "HTTP 500");
    }
    EXPECT_EQ(bench.told(old), (std::vector{Stage::pause, Stage::run}));
    bench.accepting(old, true);
    bench.exited(next);
    ASSERT_TRUE(bench.answer(restart));
    EXPECT_EQ(bench.result(restart), Outcome::Result::failed);
    EXPECT_THAT(bench.answer(restart)->text,
                HasSubstr("worker 2.0 failed 3 probes in a row: the last one said HTTP 500"));
}

TEST(Probe, ThatIsGoodAgainForgivesTheFailedOnes) {
    Policy policy = probed();
    policy.settle = 1h;
    Bench bench = serving_probed(policy);
    RequestId restart;
    const WorkerId next = restart_until_ready(bench, restart);
    for (int i = 0; i < 12; ++i) {
        bench.advance(probe_every);
        bench.probed(next, i % probes_missed == 2 ? good : bad, "no answer within 1.0 s");
    }
    EXPECT_EQ(bench.state(next), WorkerState::ready);
}

TEST(Probe, AnswersAboutWhoIsGoneOrWasNotAskedChangeNothing) {
    Bench bench = serving_probed(probed());
    const WorkerId worker = bench.worker(1, 0);
    for (int i = 0; i < 5; ++i) bench.probed(worker, bad, "HTTP 500");
    EXPECT_EQ(bench.state(worker), WorkerState::ready);
    bench.exited(worker, 1);
    const WorkerId next = bench.worker(1, 0);
    bench.spawned(next);
    bench.exited(next, 1);
    bench.forget_actions();
    bench.probed(next, good);
    bench.probed(worker, good);
    EXPECT_THAT(bench.done(), IsEmpty());
}

TEST(Probe, OfAWorkerThatLeavesMeanwhileIsIgnored) {
    Bench bench(probed());
    const WorkerId worker = bench.worker(1, 0);
    bench.spawned(worker);
    bench.signal(Stop{});
    bench.probed(worker, good);
    EXPECT_EQ(bench.state(worker), WorkerState::draining);
}

}  // namespace
}  // namespace holdfast::core::testing
