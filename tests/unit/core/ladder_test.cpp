#include <gtest/gtest.h>

#include "tests/unit/core/bench.hpp"

namespace holdfast::core::testing {
namespace {

Policy brisk() {
    Policy policy;
    policy.grace_period = 30s;
    policy.cancel_period = 5s;
    return policy;
}

TEST(Ladder, TellsStagesOneAfterTheOtherWithTheirDeadlines) {
    Policy policy = brisk();
    policy.lame_duck = 10s;
    Bench bench = serving(policy, 1);
    const WorkerId worker = bench.status().workers.at(0).id;
    const Instant start = bench.now();
    bench.signal(Stop{});
    bench.advance(100s);
    const auto tells = bench.all<Tell>();
    ASSERT_EQ(bench.told(worker), (std::vector{Stage::lame_duck, Stage::drain, Stage::cancel}));
    for (const Tell& tell : tells) {
        EXPECT_EQ(tell.command.kill_usec, to_usec(start + 45s));
        EXPECT_EQ(tell.command.reason, Reason::stop);
    }
    EXPECT_EQ(tells[0].command.deadline_usec, to_usec(start + 10s));
    EXPECT_EQ(tells[1].command.deadline_usec, to_usec(start + 40s));
    EXPECT_EQ(tells[2].command.deadline_usec, to_usec(start + 45s));
    EXPECT_EQ(tells[0].fallback_signal, 0);
    EXPECT_EQ(tells[1].fallback_signal, policy.stop_signal);
    EXPECT_TRUE(bench.all<Signal>().empty());
}

// Invariant 2.
TEST(Ladder, KillsOnlyAfterTheLastDeadline) {
    Bench bench = serving(brisk(), 1);
    const Instant start = bench.now();
    bench.signal(Stop{});
    bench.advance(100s);
    EXPECT_EQ(bench.all<Kill>().size(), 1U);
    EXPECT_EQ(bench.first_at<Kill>(), start + 35s);
}

TEST(Ladder, EndsAStageAsSoonAsTheWorkerHasExited) {
    Bench bench = serving(brisk(), 1);
    bench.signal(Stop{});
    bench.exit_all_leaving();
    EXPECT_EQ(bench.exit_code(), 0);
    EXPECT_FALSE(bench.next_deadline());
}

TEST(Ladder, HasSignalsForAVoiceWhereTheWorkerIsMute) {
    Policy policy = brisk();
    policy.workers = 1;
    policy.lame_duck = 1s;
    policy.stop_signal = 10;
    policy.cancel_signal = 12;
    Bench bench(policy);
    const WorkerId worker = bench.worker(1, 0);
    bench.serve_mutely(worker);
    bench.signal(Stop{});
    EXPECT_TRUE(bench.signals(worker).empty());  // lame duck has none
    bench.advance(100s);
    EXPECT_EQ(bench.signals(worker), (std::vector{10, 12}));
    EXPECT_TRUE(bench.told(worker).empty());
}

TEST(Ladder, SendsNoSignalForCancelUnlessOneWasChosen) {
    Policy policy = brisk();
    policy.workers = 1;
    Bench bench(policy);
    bench.serve_mutely(bench.worker(1, 0));
    bench.signal(Stop{});
    bench.advance(100s);
    EXPECT_EQ(bench.signals(bench.worker(1, 0)), std::vector{policy.stop_signal});
}

TEST(Ladder, NeverTellsAStageThatTheWorkerDidNotList) {
    Policy policy = brisk();
    policy.workers = 1;
    Bench bench(policy);
    const WorkerId worker = bench.worker(1, 0);
    bench.spawned(worker);
    StageSet only_drain;
    only_drain.add(Stage::drain);
    bench.hello(worker, only_drain);
    bench.ready(worker);
    bench.signal(Stop{});
    bench.advance(100s);
    EXPECT_EQ(bench.told(worker), std::vector{Stage::drain});
}

TEST(Ladder, GoesOnWithSignalsOnceTheChannelIsLost) {
    Policy policy = brisk();
    policy.cancel_signal = 3;
    Bench bench = serving(policy, 1);
    const WorkerId worker = bench.status().workers.at(0).id;
    bench.feed(ChannelLost{worker});
    EXPECT_EQ(bench.state(worker), WorkerState::ready);
    bench.signal(Stop{});
    bench.advance(100s);
    EXPECT_TRUE(bench.told(worker).empty());
    EXPECT_EQ(bench.signals(worker), (std::vector{policy.stop_signal, 3}));
}

TEST(Ladder, SignalsAWorkerThatHungUpBeforeItCanHaveHeard) {
    Bench bench = serving(brisk(), 2);
    const WorkerId deaf = bench.status().workers.at(0).id;
    const WorkerId heard = bench.status().workers.at(1).id;
    bench.signal(Stop{});
    bench.accepting(heard, false);
    bench.feed(ChannelLost{deaf});
    bench.feed(ChannelLost{heard});
    EXPECT_EQ(bench.signals(deaf), std::vector{15});
    EXPECT_TRUE(bench.signals(heard).empty());
}

TEST(Ladder, SignalsNobodyTwiceForOneStage) {
    Policy policy = brisk();
    policy.workers = 1;
    Bench bench(policy);
    const WorkerId worker = bench.worker(1, 0);
    bench.serve_mutely(worker);
    bench.signal(Stop{});
    bench.hello(worker);
    bench.feed(ChannelLost{worker});
    bench.feed(ChannelLost{worker});
    EXPECT_EQ(bench.signals(worker), std::vector{15});
}

TEST(Ladder, AnswersALateHelloWithThePresentStage) {
    Policy policy = brisk();
    policy.workers = 1;
    Bench bench(policy);
    const WorkerId worker = bench.worker(1, 0);
    bench.spawned(worker);
    const Instant start = bench.now();
    bench.signal(Stop{});
    EXPECT_EQ(bench.signals(worker), std::vector{15});
    bench.advance(2s);
    bench.hello(worker);
    ASSERT_EQ(bench.told(worker), std::vector{Stage::drain});
    EXPECT_EQ(bench.all<Tell>().at(0).command.deadline_usec, to_usec(start + 30s));
}

TEST(Ladder, ClimbsInTimeWhileTheLaunchIsUnderWay) {
    Policy policy = brisk();
    policy.workers = 1;
    Bench bench(policy);
    const WorkerId worker = bench.worker(1, 0);
    bench.signal(Stop{});
    bench.advance(10s);
    EXPECT_TRUE(bench.all<Signal>().empty());
    bench.spawned(worker);
    EXPECT_EQ(bench.signals(worker), std::vector{15});
    bench.advance(25s);
    EXPECT_EQ(bench.all<Kill>().size(), 1U);
}

TEST(Ladder, SignalsTheGroupOnceWhenItsMainProcessHasEnded) {
    Bench bench = serving(brisk(), 1);
    const WorkerId worker = bench.status().workers.at(0).id;
    bench.feed(MainExited{worker, ExitedWith{0}, 2, 1});
    EXPECT_EQ(bench.state(worker), WorkerState::draining);
    EXPECT_EQ(bench.signals(worker, Target::group), std::vector{15});
    EXPECT_EQ(bench.signals(worker, Target::strays), std::vector{15});
    EXPECT_TRUE(bench.signals(worker, Target::main).empty());
    EXPECT_NE(bench.worker(1, 0), worker);  // its slot is refilled at once
}

TEST(Ladder, KeepsItsDeadlineWhenTheMainProcessEndsWhileDraining) {
    Policy policy = brisk();
    policy.workers = 1;
    Bench bench(policy);
    const WorkerId worker = bench.worker(1, 0);
    bench.serve_mutely(worker);
    const Instant start = bench.now();
    bench.signal(Stop{});
    bench.advance(10s);
    bench.feed(MainExited{worker, ExitedWith{0}, 1, 0});
    EXPECT_EQ(bench.signals(worker, Target::group), std::vector{15});
    bench.advance(100s);
    EXPECT_EQ(bench.first_at<Kill>(), start + 35s);
}

TEST(Ladder, ExtendsADeadlineOnlyWithinTheBudget) {
    Policy policy = brisk();
    policy.max_extension = 10s;
    Bench bench = serving(policy, 1);
    const WorkerId worker = bench.status().workers.at(0).id;
    const Instant start = bench.now();
    bench.signal(Stop{});
    Report more;
    more.extend_usec = Duration{36s}.count();
    bench.feed(Said{worker, more});
    const auto tells = bench.all<Tell>();
    ASSERT_EQ(tells.size(), 2U);
    EXPECT_EQ(tells[1].command.stage, Stage::drain);
    EXPECT_EQ(tells[1].command.deadline_usec, to_usec(start + 36s));
    EXPECT_EQ(tells[1].command.kill_usec, to_usec(start + 41s));
    more.extend_usec = std::numeric_limits<std::int64_t>::max();
    bench.feed(Said{worker, more});
    EXPECT_EQ(bench.all<Tell>().back().command.deadline_usec, to_usec(start + 40s));
    more.extend_usec = Duration{1s}.count();
    bench.feed(Said{worker, more});
    EXPECT_EQ(bench.all<Tell>().size(), 3U);  // never earlier
    bench.advance(100s);
    EXPECT_EQ(bench.first_at<Kill>(), start + 45s);
}

// Invariant 7: extensions in each stage together stay within the bound.
TEST(Ladder, SaysHowMuchOfTheBudgetIsGranted) {
    Policy policy = brisk();
    policy.max_extension = 10s;
    Bench bench = serving(policy, 1);
    const WorkerId worker = bench.status().workers.at(0).id;
    bench.signal(Stop{});
    Report more;
    more.extend_usec = Duration{34s}.count();
    bench.feed(Said{worker, more});
    more.extend_usec = Duration{100s}.count();
    bench.feed(Said{worker, more});
    bench.feed(Said{worker, more});
    EXPECT_EQ(
        bench.notes("worker_extended"),
        (std::vector<std::string>{"asked for more time: this stage ends in 34.0 s, 4.0 s of 10.0 s granted in all",
                                  "asked for more time: this stage ends in 40.0 s, 10.0 s of 10.0 s granted in all"}));
}

TEST(Ladder, IsBoundedHoweverOftenItIsExtended) {
    Policy policy = brisk();
    policy.max_extension = 10s;
    Bench bench = serving(policy, 1);
    const WorkerId worker = bench.status().workers.at(0).id;
    const Instant start = bench.now();
    bench.signal(Stop{});
    Report more;
    more.extend_usec = Duration{4s}.count();
    for (int second = 0; second < 200; ++second) {
        bench.feed(Said{worker, more});
        bench.advance(1s);
    }
    EXPECT_EQ(bench.first_at<Finish>(), start + 30s + 5s + 10s + unkillable_after);
}

TEST(Ladder, LeavesBehindWhatWillNotDieAndSaysSo) {
    Bench bench = serving(brisk(), 1);
    bench.signal(Stop{});
    bench.advance(35s + unkillable_after - 1us);
    EXPECT_TRUE(bench.notes("worker_unkillable").empty());
    bench.advance(1us);
    EXPECT_EQ(bench.notes("worker_unkillable").size(), 1U);
    EXPECT_EQ(bench.all<Forget>().size(), 1U);
    EXPECT_EQ(bench.exit_code(), 3);
}

TEST(Ladder, ForgetsEachWorkerOnceItIsGone) {
    Bench bench = serving(brisk(), 2);
    bench.signal(Stop{});
    bench.exit_all_leaving();
    EXPECT_EQ(bench.all<Forget>().size(), 2U);
}

}  // namespace
}  // namespace holdfast::core::testing
