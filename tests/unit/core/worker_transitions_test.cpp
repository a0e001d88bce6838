#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/unit/core/core_harness.hpp"

namespace holdfast::core::testing {
namespace {

using ::testing::HasSubstr;

Policy with_35s_to_kill() {
    Policy policy;
    policy.grace_period = 30s;
    policy.cancel_period = 5s;
    return policy;
}

TEST(WorkerTransitions, SendStagesInOrderWithTheirDeadlines) {
    Policy policy = with_35s_to_kill();
    policy.lame_duck = 10s;
    CoreHarness harness = serving(policy, 1);
    const WorkerId worker = harness.status().workers.at(0).id;
    const Instant start = harness.now();
    harness.signal(Stop{});
    harness.advance(100s);
    const auto tells = harness.all<Tell>();
    ASSERT_EQ(harness.stages_sent(worker), (std::vector{Stage::lame_duck, Stage::drain, Stage::cancel}));
    for (const Tell& tell : tells) {
        EXPECT_EQ(tell.command.kill_usec, to_usec(start + 45s));
        EXPECT_EQ(tell.command.reason, Reason::stop);
    }
    EXPECT_EQ(tells[0].command.deadline_usec, to_usec(start + 10s));
    EXPECT_EQ(tells[1].command.deadline_usec, to_usec(start + 40s));
    EXPECT_EQ(tells[2].command.deadline_usec, to_usec(start + 45s));
    EXPECT_EQ(tells[0].fallback_signal, 0);
    EXPECT_EQ(tells[1].fallback_signal, policy.stop_signal);
    EXPECT_TRUE(harness.all<Signal>().empty());
}

// Invariant 2.
TEST(WorkerTransitions, KillOnlyAfterTheLastDeadline) {
    CoreHarness harness = serving(with_35s_to_kill(), 1);
    const Instant start = harness.now();
    harness.signal(Stop{});
    harness.advance(100s);
    EXPECT_EQ(harness.all<Kill>().size(), 1U);
    EXPECT_EQ(harness.first_at<Kill>(), start + 35s);
}

TEST(WorkerTransitions, EndWhenTheWorkerHasExited) {
    CoreHarness harness = serving(with_35s_to_kill(), 1);
    harness.signal(Stop{});
    harness.exit_all_leaving();
    EXPECT_EQ(harness.exit_code(), 0);
    EXPECT_FALSE(harness.next_deadline());
}

TEST(WorkerTransitions, SendSignalsToAWorkerWithoutHello) {
    Policy policy = with_35s_to_kill();
    policy.workers = 1;
    policy.lame_duck = 1s;
    policy.stop_signal = 10;
    policy.cancel_signal = 12;
    CoreHarness harness(policy);
    const WorkerId worker = harness.worker(1, 0);
    harness.serve_without_hello(worker);
    harness.signal(Stop{});
    EXPECT_TRUE(harness.signals(worker).empty());  // lame duck has none
    harness.advance(100s);
    EXPECT_EQ(harness.signals(worker), (std::vector{10, 12}));
    EXPECT_TRUE(harness.stages_sent(worker).empty());
}

TEST(WorkerTransitions, SendNoCancelSignalUnlessConfigured) {
    Policy policy = with_35s_to_kill();
    policy.workers = 1;
    CoreHarness harness(policy);
    harness.serve_without_hello(harness.worker(1, 0));
    harness.signal(Stop{});
    harness.advance(100s);
    EXPECT_EQ(harness.signals(harness.worker(1, 0)), std::vector{policy.stop_signal});
}

TEST(WorkerTransitions, NeverSendAStageThatTheWorkerDidNotList) {
    Policy policy = with_35s_to_kill();
    policy.workers = 1;
    CoreHarness harness(policy);
    const WorkerId worker = harness.worker(1, 0);
    harness.spawned(worker);
    StageSet only_drain;
    only_drain.add(Stage::drain);
    harness.hello(worker, only_drain);
    harness.ready(worker);
    harness.signal(Stop{});
    harness.advance(100s);
    EXPECT_EQ(harness.stages_sent(worker), std::vector{Stage::drain});
}

TEST(WorkerTransitions, SendSignalsOnceTheChannelIsLost) {
    Policy policy = with_35s_to_kill();
    policy.cancel_signal = 3;
    CoreHarness harness = serving(policy, 1);
    const WorkerId worker = harness.status().workers.at(0).id;
    harness.feed(ChannelLost{worker});
    EXPECT_EQ(harness.state(worker), WorkerState::ready);
    harness.signal(Stop{});
    harness.advance(100s);
    EXPECT_TRUE(harness.stages_sent(worker).empty());
    EXPECT_EQ(harness.signals(worker), (std::vector{policy.stop_signal, 3}));
}

TEST(WorkerTransitions, SignalAWorkerThatHungUpBeforeItReactedToItsStage) {
    CoreHarness harness = serving(with_35s_to_kill(), 2);
    const WorkerId without_reaction = harness.status().workers.at(0).id;
    const WorkerId with_reaction = harness.status().workers.at(1).id;
    harness.signal(Stop{});
    harness.accepting(with_reaction, false);
    harness.feed(ChannelLost{without_reaction});
    harness.feed(ChannelLost{with_reaction});
    EXPECT_EQ(harness.signals(without_reaction), std::vector{15});
    EXPECT_TRUE(harness.signals(with_reaction).empty());
}

TEST(WorkerTransitions, SendOneSignalPerStage) {
    Policy policy = with_35s_to_kill();
    policy.workers = 1;
    CoreHarness harness(policy);
    const WorkerId worker = harness.worker(1, 0);
    harness.serve_without_hello(worker);
    harness.signal(Stop{});
    harness.hello(worker);
    harness.feed(ChannelLost{worker});
    harness.feed(ChannelLost{worker});
    EXPECT_EQ(harness.signals(worker), std::vector{15});
}

TEST(WorkerTransitions, AnswerALateHelloWithTheCurrentStage) {
    Policy policy = with_35s_to_kill();
    policy.workers = 1;
    CoreHarness harness(policy);
    const WorkerId worker = harness.worker(1, 0);
    harness.spawned(worker);
    const Instant start = harness.now();
    harness.signal(Stop{});
    EXPECT_EQ(harness.signals(worker), std::vector{15});
    harness.advance(2s);
    harness.hello(worker);
    ASSERT_EQ(harness.stages_sent(worker), std::vector{Stage::drain});
    EXPECT_EQ(harness.all<Tell>().at(0).command.deadline_usec, to_usec(start + 30s));
}

TEST(WorkerTransitions, KeepTheirDeadlinesDuringALaunch) {
    Policy policy = with_35s_to_kill();
    policy.workers = 1;
    CoreHarness harness(policy);
    const WorkerId worker = harness.worker(1, 0);
    harness.signal(Stop{});
    harness.advance(10s);
    EXPECT_TRUE(harness.all<Signal>().empty());
    harness.spawned(worker);
    EXPECT_EQ(harness.signals(worker), std::vector{15});
    harness.advance(25s);
    EXPECT_EQ(harness.all<Kill>().size(), 1U);
}

TEST(WorkerTransitions, SignalTheGroupOnceAfterTheMainProcessExited) {
    CoreHarness harness = serving(with_35s_to_kill(), 1);
    const WorkerId worker = harness.status().workers.at(0).id;
    harness.feed(MainExited{worker, ExitedWith{0}, 2, 1});
    EXPECT_EQ(harness.state(worker), WorkerState::draining);
    EXPECT_EQ(harness.signals(worker, Target::group), std::vector{15});
    EXPECT_EQ(harness.signals(worker, Target::strays), std::vector{15});
    EXPECT_TRUE(harness.signals(worker, Target::main).empty());
    EXPECT_NE(harness.worker(1, 0), worker);  // its slot is refilled at once
}

// What cannot be seen is not gone.
TEST(WorkerTransitions, SignalProcessesThatCannotBeSeen) {
    CoreHarness harness = serving(with_35s_to_kill(), 1);
    const WorkerId worker = harness.status().workers.at(0).id;
    harness.feed(MainExited{worker, ExitedWith{0}, 0, 0, "cannot list /proc: Too many open files"});
    EXPECT_EQ(harness.state(worker), WorkerState::draining);
    EXPECT_EQ(harness.signals(worker, Target::group), std::vector{15});
    EXPECT_EQ(harness.signals(worker, Target::strays), std::vector{15});
    EXPECT_THAT(
        harness.notes("worker_main_exited").at(0),
        HasSubstr("0 of its descendants still run, and it is not known whether there are more: cannot list /proc: "
                  "Too many open files"));
    const auto shown = [&] {
        for (const WorkerStatus& one : harness.status().workers) {
            if (one.id == worker) return one.not_seen;
        }
        return std::string("the worker is gone");
    };
    EXPECT_EQ(shown(), "cannot list /proc: Too many open files");
    harness.feed(LookedAgain{worker, 1, ""});
    EXPECT_EQ(shown(), "");
    EXPECT_EQ(harness.signals(worker, Target::strays), (std::vector{15, 15}))
        << "it may have been missed the first time";
    EXPECT_EQ(harness.signals(worker, Target::group), std::vector{15});
}

TEST(WorkerTransitions, AbandonAWorkerThatCannotBeSeenWithTheReason) {
    Policy policy = with_35s_to_kill();
    policy.workers = 1;
    CoreHarness harness = serving(policy, 1);
    const WorkerId worker = harness.status().workers.at(0).id;
    harness.signal(Stop{});
    harness.feed(MainExited{worker, ExitedWith{0}, 0, 0, "cannot list /proc: Too many open files"});
    harness.advance(100s);
    EXPECT_EQ(harness.exit_code(), 3);
    EXPECT_THAT(harness.notes("worker_unkillable").at(0),
                HasSubstr("(it cannot be seen: cannot list /proc: Too many open files)"));
}

TEST(WorkerTransitions, KeepTheDeadlineWhenTheMainProcessExitsWhileDraining) {
    Policy policy = with_35s_to_kill();
    policy.workers = 1;
    CoreHarness harness(policy);
    const WorkerId worker = harness.worker(1, 0);
    harness.serve_without_hello(worker);
    const Instant start = harness.now();
    harness.signal(Stop{});
    harness.advance(10s);
    harness.feed(MainExited{worker, ExitedWith{0}, 1, 0});
    EXPECT_EQ(harness.signals(worker, Target::group), std::vector{15});
    harness.advance(100s);
    EXPECT_EQ(harness.first_at<Kill>(), start + 35s);
}

TEST(WorkerTransitions, ExtendADeadlineOnlyWithinMaxExtension) {
    Policy policy = with_35s_to_kill();
    policy.max_extension = 10s;
    CoreHarness harness = serving(policy, 1);
    const WorkerId worker = harness.status().workers.at(0).id;
    const Instant start = harness.now();
    harness.signal(Stop{});
    Report more;
    more.extend_usec = Duration{36s}.count();
    harness.feed(Said{worker, more});
    const auto tells = harness.all<Tell>();
    ASSERT_EQ(tells.size(), 2U);
    EXPECT_EQ(tells[1].command.stage, Stage::drain);
    EXPECT_EQ(tells[1].command.deadline_usec, to_usec(start + 36s));
    EXPECT_EQ(tells[1].command.kill_usec, to_usec(start + 41s));
    more.extend_usec = std::numeric_limits<std::int64_t>::max();
    harness.feed(Said{worker, more});
    EXPECT_EQ(harness.all<Tell>().back().command.deadline_usec, to_usec(start + 40s));
    more.extend_usec = Duration{1s}.count();
    harness.feed(Said{worker, more});
    EXPECT_EQ(harness.all<Tell>().size(), 3U);  // never earlier
    harness.advance(100s);
    EXPECT_EQ(harness.first_at<Kill>(), start + 45s);
}

TEST(WorkerTransitions, LogHowMuchOfMaxExtensionIsGranted) {
    Policy policy = with_35s_to_kill();
    policy.max_extension = 10s;
    CoreHarness harness = serving(policy, 1);
    const WorkerId worker = harness.status().workers.at(0).id;
    harness.signal(Stop{});
    Report more;
    more.extend_usec = Duration{34s}.count();
    harness.feed(Said{worker, more});
    more.extend_usec = Duration{100s}.count();
    harness.feed(Said{worker, more});
    harness.feed(Said{worker, more});
    EXPECT_EQ(
        harness.notes("worker_extended"),
        (std::vector<std::string>{"asked for more time: this stage ends in 34.0 s, 4.0 s of 10.0 s granted in all",
                                  "asked for more time: this stage ends in 40.0 s, 10.0 s of 10.0 s granted in all"}));
}

// Invariant 7: the extensions of all stages together stay within the bound.
TEST(WorkerTransitions, AreBoundedDespiteRepeatedExtensions) {
    Policy policy = with_35s_to_kill();
    policy.max_extension = 10s;
    CoreHarness harness = serving(policy, 1);
    const WorkerId worker = harness.status().workers.at(0).id;
    const Instant start = harness.now();
    harness.signal(Stop{});
    Report more;
    more.extend_usec = Duration{4s}.count();
    for (int second = 0; second < 200; ++second) {
        harness.feed(Said{worker, more});
        harness.advance(1s);
    }
    EXPECT_EQ(harness.first_at<Finish>(), start + 30s + 5s + 10s + unkillable_after);
}

TEST(WorkerTransitions, AbandonAWorkerThatSurvivesSigkill) {
    CoreHarness harness = serving(with_35s_to_kill(), 1);
    harness.signal(Stop{});
    harness.advance(35s + unkillable_after - 1us);
    EXPECT_TRUE(harness.notes("worker_unkillable").empty());
    harness.advance(1us);
    EXPECT_EQ(harness.notes("worker_unkillable").size(), 1U);
    EXPECT_EQ(harness.all<Forget>().size(), 1U);
    EXPECT_EQ(harness.exit_code(), 3);
}

TEST(WorkerTransitions, ForgetEachWorkerOnceItIsGone) {
    CoreHarness harness = serving(with_35s_to_kill(), 2);
    harness.signal(Stop{});
    harness.exit_all_leaving();
    EXPECT_EQ(harness.all<Forget>().size(), 2U);
}

}  // namespace
}  // namespace holdfast::core::testing
