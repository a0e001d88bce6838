// Failures that the simulator has found, each in its smallest form. A seed gives another schedule as soon as the random
// inputs change; a story does not. `holdfast_simulator --story FILE` replays a story step by step.

#include <gtest/gtest.h>

#include <algorithm>
#include <string>

#include "tests/simulator/service_run.hpp"
#include "tests/support/fake_world.hpp"

namespace holdfast::testing {

namespace {

using namespace std::chrono_literals;
using core::WorkerState;

constexpr Duration soon = 1min;

bool all_ready(const FakeWorld& world) {
    const core::Status& status = world.status();
    const auto ready = std::count_if(status.workers.begin(), status.workers.end(),
                                     [](const auto& worker) { return worker.state == WorkerState::ready; });
    return status.phase == core::Phase::serving && ready == status.target;
}

std::string first_violation(const FakeWorld& world) {
    return world.violations().empty() ? "" : world.violations().front();
}

std::string first_violation(const std::string& story) {
    const auto violations = simulator::replay(simulator::story_of(story));
    return violations.empty() ? "" : violations.front();
}

core::Request asked(auto what) { return {what, "uid 0"}; }

}  // namespace

TEST(Regression, ALostChannelDoesNotCauseASecondSignal) {
    WorkerScript unresponsive;  // reacts neither to drain nor to its signal
    unresponsive.stages = {};
    unresponsive.loses_channel_after = 5s;
    unresponsive.drained_after.reset();
    FakeWorld world({}, 1, [&](const core::Spawn&) { return unresponsive; });
    world.start();
    ASSERT_TRUE(world.run_until([&] { return all_ready(world); }, soon));
    world.ask(asked(core::Stop{}));
    world.advance(10s);
    EXPECT_TRUE(world.workers().front().has_lost_channel);
    EXPECT_EQ(world.workers().front().stop_signals, 1);
    EXPECT_EQ(first_violation(world), "");
}

TEST(Regression, ALaunchAttemptInThePastLeavesNoDeadline) {
    FakeWorld world({.workers = 2, .settle = 0s}, 1, [&](const core::Spawn& spawn) {
        WorkerScript script;
        if (spawn.generation.value == 2 && spawn.slot.value == 1) script.launch = Launch::fails;
        return script;
    });
    world.start();
    ASSERT_TRUE(world.run_until([&] { return all_ready(world); }, soon));
    const std::size_t restart = world.ask(asked(core::Restart{}));
    ASSERT_TRUE(world.run_until([&] { return world.requests()[restart].outcome.has_value(); }, soon));
    EXPECT_EQ(world.requests()[restart].outcome->result, core::Outcome::Result::failed);
    world.advance(soon);
    EXPECT_EQ(first_violation(world), "");
}

TEST(Regression, ConnectionsAreAcceptedForARecalledWorker) {
    WorkerScript slow;
    slow.drained_after = 10s;
    FakeWorld world({}, 1, [&](const core::Spawn&) { return slow; });
    world.start();
    ASSERT_TRUE(world.run_until([&] { return all_ready(world); }, soon));
    world.ask(asked(core::Scale{0}));
    world.advance(1s);
    ASSERT_EQ(world.admission(), core::Admission::refuse);
    world.ask(asked(core::Scale{1}));
    world.advance(1s);
    EXPECT_EQ(world.admission(), core::Admission::accept);
    EXPECT_TRUE(all_ready(world));
    EXPECT_EQ(world.workers().size(), 1U);
}

TEST(Regression, AProbationBeginsAlsoIfNoOldWorkerIsLeft) {
    EXPECT_EQ(first_violation(R"(
policy probation=2s
incident what=scale_by at=1ms number=-1
incident what=restart at=1ms
)"),
              "");
}

TEST(Regression, APausedWorkerWithoutChannelIsReplaced) {
    EXPECT_EQ(first_violation(R"(
policy workers=2 probation=2s max_surge=1 max_unavailable=1
worker 1 loses_channel_after=1200ms
worker 3 ready_after=never
incident what=restart at=1ms
)"),
              "");
}

TEST(Regression, ARolloutWithMissingWorkersIsNotDone) {
    EXPECT_EQ(first_violation(R"(
policy workers=2 probation=2s
worker 2 drained_after=never
worker 4 crashes_after=4s
worker 5 ready_after=never
incident what=restart at=1ms
)"),
              "");
}

TEST(Regression, ConnectionsAreNotRefusedDuringARecall) {
    EXPECT_EQ(first_violation(R"(
policy queue_for=1s
worker 1 drained_after=never
incident what=stop at=70s
incident what=undo at=73s
)"),
              "");
}

TEST(Regression, AStopRestoresThePolicyBeforeAReload) {
    EXPECT_EQ(first_violation(R"(
policy
worker 1 messaging=notify drained_after=never
incident what=reload at=20s listeners=6 replace=yes rules.cancel_period=300ms
incident what=stop at=20500ms
)"),
              "");
}

TEST(Regression, ListenersStayOpenUntilTheReplacedWorkersAreGone) {
    EXPECT_EQ(first_violation(R"(
policy workers=4
worker 8 launch=fails
worker 11 ready_after=never
worker 13 ready_after=never
worker 14 launch=fails
worker 15 ready_after=10ms crashes_after=1ms
worker 16 ready_after=never
incident what=reload at=1ms listeners=4 replace=yes rules.max_surge=0
)"),
              "");
}

TEST(Regression, AnUndoneStopInterruptsItsReload) {
    EXPECT_EQ(first_violation(R"(
policy lame_duck=3s
incident what=reload at=1ms listeners=7 replace=yes rules.probation=6s
incident what=stop at=2028664us
incident what=undo at=2262298us asker=signal
)"),
              "");
}

TEST(Regression, AnUndoAmongManyChangesIsAnsweredInTime) {
    EXPECT_EQ(first_violation(R"(
policy ready_timeout=2s grace_period=700ms
seed 17536305724218779081
company mixed
worker 4 messaging=silent
worker 12 messaging=silent
worker 13 messaging=silent
preparation 4 takes=6s
incident what=restart at=1ms
incident what=scale_by at=1ms number=-1
incident what=restart at=5s
incident what=scale_by at=5s asker=signal number=1
incident what=reload at=1ms listeners=6 replace=yes rules.ready_timeout=20s rules.max_surge=1 rules.max_unavailable=25%
incident what=scale_by at=52s number=1
incident what=scale_by at=70s number=1
incident what=restart at=70s asker=signal
incident what=undo at=80s
)"),
              "");
}

TEST(Regression, ARestartThatFailsWithMissingWorkersIsAnsweredFailed) {
    EXPECT_EQ(first_violation(R"(
policy
seed 12816109212951231231
company mixed
worker 5 crashes_after=2452594us
worker 7 launch=fails
worker 14 drained_after=1s
worker 16 stops_itself_after=3600ms
worker 17 messaging=silent
worker 18 triggers_watchdog_after=1ms
worker 19 messaging=silent
incident what=restart at=10s
incident what=scale_by at=1ms number=1
incident what=restart at=1ms
incident what=restart at=1ms
incident what=reload at=10s listeners=5 replace=yes rules.probation=2s
incident what=restart at=100s
incident what=restart at=100s
)"),
              "");
}

TEST(Regression, AStageIsNotSentAgainAfterItsDeadline) {
    EXPECT_EQ(first_violation(R"(
policy
seed 7312621550688667855
company mixed
worker 9 heartbeat_every=1ms
worker 13 stops_itself_after=14s accepts_again_after=never heartbeat_every=1ms
incident what=reload at=1ms rules.workers=2 rules.grace_period=10s rules.max_pause=2s rules.watchdog=2s
incident what=restart at=1ms
incident what=restart at=10s asker=signal
incident what=pause at=14s
incident what=stall at=25s length=2s
roams_until 27s
)"),
              "");
}

TEST(Regression, AnUndoDuringAStallIsAnsweredCorrectly) {
    EXPECT_EQ(first_violation(R"(
policy workers=2
seed 3513787095459658179
worker 6 launch=fails
worker 14 crashes_after=4500ms
worker 17 launch=fails
worker 19 crashes_after=9s
preparation 3
incident what=reload at=1ms replace=yes rules.workers=4
incident what=reload at=1ms listeners=7 replace=yes
incident what=restart at=110s
incident what=scale at=116s number=6
incident what=reload at=135s listeners=4 replace=yes
incident what=undo at=140s
incident what=stall at=130s length=14s
)"),
              "");
}

TEST(Regression, AQueuedScaleBeginsWithTheAnswerOfARolloutWithMissingWorkers) {
    EXPECT_EQ(first_violation(R"(
policy workers=2 probation=2s
worker 2 drained_after=never
worker 4 crashes_after=3185447us
worker 5 ready_after=never
worker 6 launch=fails
worker 7 ready_after=never
incident what=restart at=1ms
incident what=scale at=1ms number=1
)"),
              "");
}

TEST(Regression, APauseThatEndsLateLeavesItsWorkersTimeToConfirm) {
    EXPECT_EQ(first_violation(R"(
policy ready_timeout=2s grace_period=700ms cancel_period=1500ms
preparation 1 takes=689us
late 9 13902us
incident what=restart at=2348157us
incident what=pause at=7263868us
)"),
              "");
}

TEST(Regression, AWatchdogThatExpiresWithTheProbationFailsTheRollout) {
    EXPECT_EQ(first_violation(R"(
policy settle=0s probation=6s watchdog=6s
worker 1 messaging=notify heartbeat_every=1ms
worker 2
incident what=restart at=1ms
)"),
              "");
}

TEST(Regression, OldWorkersThatExitLateAfterAStallDoNotFailTheRollout) {
    EXPECT_EQ(first_violation(R"(
policy ready_timeout=2s probation=2s grace_period=3s
worker 2 stops_itself_after=5s
worker 5 triggers_watchdog_after=1900ms
worker 6 launch=hangs
worker 7
incident what=restart at=1ms
incident what=scale at=21s asker=signal number=3
incident what=restart at=23400ms
incident what=stall at=27s length=6s
)"),
              "");
}

}  // namespace holdfast::testing
