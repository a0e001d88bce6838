#include <gtest/gtest.h>

#include "core/bounds.hpp"
#include "tests/unit/core/bench.hpp"

namespace holdfast::core::testing {
namespace {

Policy with_lame_duck() {
    Policy policy;
    policy.lame_duck = 10s;
    return policy;
}

void report_in_flight(Bench& bench, WorkerId worker, std::uint64_t in_flight) {
    Report report;
    report.in_flight = in_flight;
    bench.feed(Said{worker, report});
}

TEST(Stop, AnswersItsAskersWhenItHasFinishedWithWhatRunReturns) {
    Bench bench = serving({}, 1);
    const RequestId first = bench.ask(Stop{});
    const RequestId second = bench.ask(Stop{});
    EXPECT_FALSE(bench.answer(first));
    bench.advance(35s);
    bench.exited(bench.status().workers.at(0).id, 9);
    for (const RequestId asker : {first, second}) {
        ASSERT_TRUE(bench.answer(asker));
        EXPECT_EQ(bench.answer(asker)->exit_code, 3);
    }
    EXPECT_TRUE(std::holds_alternative<Finish>(bench.done().back().action));
}

TEST(Stop, MovesEveryWorkerOneStageOnForEachFurtherSignal) {
    Bench bench = serving(with_lame_duck(), 1);
    const WorkerId worker = bench.status().workers.at(0).id;
    const WorkerState expected[] = {WorkerState::lame_duck, WorkerState::draining, WorkerState::cancelling,
                                    WorkerState::killed};
    for (const WorkerState state : expected) {
        bench.signal(Stop{});
        EXPECT_EQ(bench.state(worker), state);
        bench.advance(skip_not_before);
    }
    EXPECT_EQ(bench.all<Kill>().size(), 1U);
}

TEST(Stop, TakesTwoSignalsWithinASecondForOne) {
    Bench bench = serving(with_lame_duck(), 1);
    const WorkerId worker = bench.status().workers.at(0).id;
    bench.signal(Stop{});
    bench.advance(skip_not_before - 1us);
    bench.signal(Stop{});
    EXPECT_EQ(bench.state(worker), WorkerState::lame_duck);
    EXPECT_EQ(bench.notes("stop_ignored").size(), 1U);
    bench.advance(1us);
    bench.signal(Stop{});
    EXPECT_EQ(bench.state(worker), WorkerState::draining);
}

TEST(Stop, SaysWhatTheNextOneWouldDo) {
    Bench bench = serving(with_lame_duck(), 1);
    bench.signal(Stop{});
    EXPECT_NE(bench.notes("stop_started").back().find("tells every worker to drain"), std::string::npos);
    bench.advance(1s);
    bench.signal(Stop{});
    EXPECT_NE(bench.notes("stop_skipped").back().find("cancels what is still being done"), std::string::npos);
    bench.advance(1s);
    bench.signal(Stop{});
    EXPECT_NE(bench.notes("stop_skipped").back().find("kills what is left"), std::string::npos);
}

TEST(Stop, OverTheApiNeverSkipsAStage) {
    Bench bench = serving(with_lame_duck(), 1);
    const WorkerId worker = bench.status().workers.at(0).id;
    bench.ask(Stop{});
    bench.advance(2s);
    bench.ask(Stop{LameDuck::skipped});
    bench.advance(2s);
    bench.ask(Stop{});
    EXPECT_EQ(bench.state(worker), WorkerState::lame_duck);
}

TEST(Stop, WithoutLameDuckGoesStraightToDrain) {
    Bench bench = serving(with_lame_duck(), 1);
    bench.signal(Stop{LameDuck::skipped});
    EXPECT_EQ(bench.count(WorkerState::draining), 1);
}

// Invariant 7.
TEST(Stop, EndsWithinItsBoundWhateverWorkersDo) {
    Policy policy = with_lame_duck();
    Bench bench = serving(policy, 5);
    const Instant start = bench.now();
    bench.signal(Stop{});
    bench.advance(1h);
    EXPECT_EQ(bench.first_at<Finish>(), start + end_bound(policy));
    EXPECT_FALSE(bench.next_deadline());
}

TEST(Stop, LaunchesNobodyAnyMore) {
    Bench bench = serving({}, 2);
    bench.signal(Stop{});
    bench.exited(bench.status().workers.at(0).id, 1);
    bench.advance(10s);
    EXPECT_TRUE(bench.all<Spawn>().empty());
}

TEST(ExitCode, IsZeroWhenAllExitedInTime) {
    Bench bench = serving({}, 2);
    bench.signal(Stop{});
    bench.advance(29s);
    bench.exit_all_leaving();
    EXPECT_EQ(bench.exit_code(), 0);
}

TEST(ExitCode, IsThreeWhenAWorkerWasCancelledWithWorkLeft) {
    Bench bench = serving({}, 1);
    bench.signal(Stop{});
    report_in_flight(bench, bench.status().workers.at(0).id, 2);
    bench.advance(31s);
    bench.exit_all_leaving();
    EXPECT_EQ(bench.exit_code(), 3);
}

TEST(ExitCode, IsZeroWhenACancelledWorkerHadNothingLeft) {
    Bench bench = serving({}, 1);
    bench.signal(Stop{});
    report_in_flight(bench, bench.status().workers.at(0).id, 0);
    bench.advance(31s);
    bench.exit_all_leaving();
    EXPECT_EQ(bench.exit_code(), 0);
}

TEST(ExitCode, IsThreeWhenAMuteWorkerOutlivedItsGracePeriod) {
    Policy policy;
    policy.workers = 1;
    Bench bench(policy);
    bench.serve_mutely(bench.worker(1, 0));
    bench.signal(Stop{});
    bench.advance(31s);
    bench.exit_all_leaving();
    EXPECT_EQ(bench.exit_code(), 3);
}

TEST(ExitCode, DoesNotCountWhatWasCutOffBeforeTheStop) {
    Bench bench = serving({}, 1);
    const WorkerId old = bench.status().workers.at(0).id;
    bench.ask(Restart{});
    bench.serve_all();
    bench.advance(1s + 35s);
    bench.exited(old, 9);
    bench.signal(Stop{});
    bench.exit_all_leaving();
    EXPECT_EQ(bench.exit_code(), 0);
}

TEST(Manager, IsToldToStopOnceAndHowLongItMustWait) {
    Bench bench = serving({}, 1);
    bench.signal(Stop{});
    EXPECT_EQ(bench.all<ManagerStopping>().size(), 1U);
    ASSERT_EQ(bench.all<ManagerExtend>().size(), 1U);
    EXPECT_EQ(bench.all<ManagerExtend>()[0].at_least, 35s + unkillable_after);
}

TEST(Manager, IsAskedForTimeAgainWhileDrainsMakeProgressAndNotMoreThanOnceASecond) {
    Bench bench = serving({}, 1);
    const WorkerId worker = bench.status().workers.at(0).id;
    bench.signal(Stop{});
    for (std::uint64_t left = 100; left > 0; --left) {
        report_in_flight(bench, worker, left);
        bench.advance(100ms);
    }
    EXPECT_GE(bench.all<ManagerExtend>().size(), 10U);
    EXPECT_LE(bench.all<ManagerExtend>().size(), 12U);
    const std::size_t before = bench.all<ManagerExtend>().size();
    bench.advance(10s);
    EXPECT_LE(bench.all<ManagerExtend>().size(), before + 1);  // no progress, no more time
}

TEST(Manager, HearsEachSentenceOnce) {
    Bench bench = serving({}, 2);
    EXPECT_TRUE(bench.all<ManagerStatus>().empty());
    bench.ask(Scale{2});
    bench.ask(Scale{3});
    const auto sentences = bench.all<ManagerStatus>();
    ASSERT_FALSE(sentences.empty());
    EXPECT_EQ(sentences.back().text, "scaling to 3 workers: 2 of 3 ready");
    EXPECT_EQ(sentences.back().text, bench.status().detail);
}

}  // namespace
}  // namespace holdfast::core::testing
