#include <gtest/gtest.h>

#include "core/bounds.hpp"
#include "tests/unit/core/core_harness.hpp"

namespace holdfast::core::testing {
namespace {

Policy with_lame_duck() {
    Policy policy;
    policy.lame_duck = 10s;
    return policy;
}

void report_in_flight(CoreHarness& harness, WorkerId worker, std::uint64_t in_flight) {
    Report report;
    report.in_flight = in_flight;
    harness.feed(Said{worker, report});
}

TEST(Stop, IsAnsweredAtItsEndWithTheExitStatusOfRun) {
    CoreHarness harness = serving({}, 1);
    const RequestId first = harness.ask(Stop{});
    const RequestId second = harness.ask(Stop{});
    EXPECT_FALSE(harness.answer(first));
    harness.advance(35s);
    harness.exited(harness.status().workers.at(0).id, 9);
    for (const RequestId asker : {first, second}) {
        ASSERT_TRUE(harness.answer(asker));
        EXPECT_EQ(harness.answer(asker)->exit_code, 3);
    }
    EXPECT_LT(harness.index_of<Answer>(), harness.index_of<Finish>());
    EXPECT_EQ(harness.all<Finish>().size(), 1U);
}

TEST(Stop, MovesEveryWorkerToItsNextStageOnEachFurtherSignal) {
    CoreHarness harness = serving(with_lame_duck(), 1);
    const WorkerId worker = harness.status().workers.at(0).id;
    const WorkerState expected[] = {WorkerState::lame_duck, WorkerState::draining, WorkerState::cancelling,
                                    WorkerState::killed};
    for (const WorkerState state : expected) {
        harness.signal(Stop{});
        EXPECT_EQ(harness.state(worker), state);
        harness.advance(min_stop_interval);
    }
    EXPECT_EQ(harness.all<Kill>().size(), 1U);
}

TEST(Stop, IgnoresASecondSignalWithinASecond) {
    CoreHarness harness = serving(with_lame_duck(), 1);
    const WorkerId worker = harness.status().workers.at(0).id;
    harness.signal(Stop{});
    harness.advance(min_stop_interval - 1us);
    harness.signal(Stop{});
    EXPECT_EQ(harness.state(worker), WorkerState::lame_duck);
    EXPECT_EQ(harness.notes("stop_ignored").size(), 1U);
    harness.advance(1us);
    harness.signal(Stop{});
    EXPECT_EQ(harness.state(worker), WorkerState::draining);
}

TEST(Stop, LogsWhatTheNextSignalWouldDo) {
    CoreHarness harness = serving(with_lame_duck(), 1);
    harness.signal(Stop{});
    EXPECT_NE(harness.notes("stop_started").back().find("drains every worker now"), std::string::npos);
    harness.advance(1s);
    harness.signal(Stop{});
    EXPECT_NE(harness.notes("stop_skipped").back().find("cancels the remaining work"), std::string::npos);
    harness.advance(1s);
    harness.signal(Stop{});
    EXPECT_NE(harness.notes("stop_skipped").back().find("kills the remaining workers"), std::string::npos);
}

TEST(Stop, OverTheApiNeverSkipsAStage) {
    CoreHarness harness = serving(with_lame_duck(), 1);
    const WorkerId worker = harness.status().workers.at(0).id;
    harness.ask(Stop{});
    harness.advance(2s);
    harness.ask(Stop{LameDuck::skipped});
    harness.advance(2s);
    harness.ask(Stop{});
    EXPECT_EQ(harness.state(worker), WorkerState::lame_duck);
}

TEST(Stop, WithoutLameDuckDrainsAtOnce) {
    CoreHarness harness = serving(with_lame_duck(), 1);
    harness.signal(Stop{LameDuck::skipped});
    EXPECT_EQ(harness.count(WorkerState::draining), 1);
}

// Invariant 7.
TEST(Stop, EndsWithinItsBoundWhateverWorkersDo) {
    Policy policy = with_lame_duck();
    CoreHarness harness = serving(policy, 5);
    const Instant start = harness.now();
    harness.signal(Stop{});
    harness.advance(1h);
    EXPECT_EQ(harness.first_at<Finish>(), start + end_bound(policy));
    EXPECT_FALSE(harness.next_deadline());
}

TEST(Stop, LaunchesNoWorker) {
    CoreHarness harness = serving({}, 2);
    harness.signal(Stop{});
    harness.exited(harness.status().workers.at(0).id, 1);
    harness.advance(10s);
    EXPECT_TRUE(harness.all<Spawn>().empty());
}

TEST(ExitCode, IsZeroWhenAllExitedInTime) {
    CoreHarness harness = serving({}, 2);
    harness.signal(Stop{});
    harness.advance(29s);
    harness.exit_all_leaving();
    EXPECT_EQ(harness.exit_code(), 0);
}

TEST(ExitCode, IsThreeWhenAWorkerWasCancelledWithWorkLeft) {
    CoreHarness harness = serving({}, 1);
    harness.signal(Stop{});
    report_in_flight(harness, harness.status().workers.at(0).id, 2);
    harness.advance(31s);
    harness.exit_all_leaving();
    EXPECT_EQ(harness.exit_code(), 3);
}

TEST(ExitCode, IsZeroWhenACancelledWorkerHadNothingLeft) {
    CoreHarness harness = serving({}, 1);
    harness.signal(Stop{});
    report_in_flight(harness, harness.status().workers.at(0).id, 0);
    harness.advance(31s);
    harness.exit_all_leaving();
    EXPECT_EQ(harness.exit_code(), 0);
}

TEST(ExitCode, IsThreeWhenAWorkerWithoutHelloExceedsItsGracePeriod) {
    Policy policy;
    policy.workers = 1;
    CoreHarness harness(policy);
    harness.serve_without_hello(harness.worker(1, 0));
    harness.signal(Stop{});
    harness.advance(31s);
    harness.exit_all_leaving();
    EXPECT_EQ(harness.exit_code(), 3);
}

TEST(ExitCode, IgnoresWorkCutOffBeforeTheStop) {
    CoreHarness harness = serving({}, 1);
    const WorkerId old = harness.status().workers.at(0).id;
    harness.ask(Restart{});
    harness.serve_all();
    harness.advance(1s + 35s);
    harness.exited(old, 9);
    harness.signal(Stop{});
    harness.exit_all_leaving();
    EXPECT_EQ(harness.exit_code(), 0);
}

TEST(ServiceManager, GetsStoppingOnceAndTheTimeoutOfTheStop) {
    CoreHarness harness = serving({}, 1);
    harness.signal(Stop{});
    EXPECT_EQ(harness.all<ManagerStopping>().size(), 1U);
    ASSERT_EQ(harness.all<ManagerExtend>().size(), 1U);
    EXPECT_EQ(harness.all<ManagerExtend>()[0].at_least, 35s + unkillable_after);
}

TEST(ServiceManager, GetsAnExtensionAtMostOnceASecondWhileWorkersMakeProgress) {
    CoreHarness harness = serving({}, 1);
    const WorkerId worker = harness.status().workers.at(0).id;
    harness.signal(Stop{});
    for (std::uint64_t left = 100; left > 0; --left) {
        report_in_flight(harness, worker, left);
        harness.advance(100ms);
    }
    EXPECT_GE(harness.all<ManagerExtend>().size(), 10U);
    EXPECT_LE(harness.all<ManagerExtend>().size(), 12U);
    const std::size_t before = harness.all<ManagerExtend>().size();
    harness.advance(10s);
    EXPECT_LE(harness.all<ManagerExtend>().size(), before + 1);  // without progress no extension
}

TEST(ServiceManager, GetsEachStatusOnce) {
    CoreHarness harness = serving({}, 2);
    EXPECT_TRUE(harness.all<ManagerStatus>().empty());
    harness.ask(Scale{2});
    harness.ask(Scale{3});
    const auto sentences = harness.all<ManagerStatus>();
    ASSERT_FALSE(sentences.empty());
    EXPECT_EQ(sentences.back().text, "scaling to 3 workers: 2 of 3 ready");
    EXPECT_EQ(sentences.back().text, harness.status().detail);
}

}  // namespace
}  // namespace holdfast::core::testing
