#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/unit/core/core_harness.hpp"

namespace holdfast::core::testing {
namespace {

using Result = Outcome::Result;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;

TEST(Pause, PausesReadyWorkersUntilResume) {
    CoreHarness harness = serving({}, 2);
    const RequestId pause = harness.ask(Pause{});
    EXPECT_EQ(harness.result(pause), Result::done);
    EXPECT_EQ(harness.count(WorkerState::paused), 2);
    EXPECT_EQ(harness.phase(), Phase::paused);
    const RequestId resume = harness.ask(Resume{});
    EXPECT_EQ(harness.result(resume), Result::done);
    EXPECT_EQ(harness.count(WorkerState::paused), 2);  // ready only after their confirmation
    EXPECT_EQ(harness.phase(), Phase::serving);
    for (const WorkerStatus& worker : harness.status().workers) harness.accepting(worker.id, true);
    EXPECT_EQ(harness.count(WorkerState::ready), 2);
    EXPECT_THAT(harness.all<Spawn>(), IsEmpty());
}

TEST(Pause, IsRefusedIfNoWorkerSupportsIt) {
    CoreHarness harness({});
    harness.serve_without_hello(harness.worker(1, 0));
    EXPECT_EQ(harness.result(harness.ask(Pause{})), Result::refused);
    EXPECT_EQ(harness.phase(), Phase::serving);
    EXPECT_EQ(harness.result(harness.ask(Resume{})), Result::refused);
}

TEST(Pause, IsRefusedWhileAChangeIsUnderWay) {
    CoreHarness harness = serving({}, 1);
    harness.ask(Restart{});
    EXPECT_EQ(harness.result(harness.ask(Pause{})), Result::refused);
}

TEST(Pause, RequestedTwiceKeepsItsFirstDeadline) {
    CoreHarness harness = serving({}, 1);
    harness.ask(Pause{});
    const auto until = harness.status().paused_until;
    harness.advance(1min);
    EXPECT_EQ(harness.result(harness.ask(Pause{})), Result::done);
    EXPECT_EQ(harness.status().paused_until, until);
    EXPECT_THAT(harness.all<Tell>(), SizeIs(1));
}

TEST(Pause, EndsAutomaticallyAfterMaxPause) {
    Policy policy;
    policy.max_pause = 60s;
    CoreHarness harness = serving(policy, 1);
    const WorkerId worker = harness.worker(1, 0);
    harness.ask(Pause{});
    EXPECT_EQ(harness.status().paused_until, harness.now() + 60s);
    EXPECT_EQ(from_usec(*harness.all<Tell>().back().command.deadline_usec), harness.now() + 60s);
    harness.advance(60s - 1us);
    EXPECT_EQ(harness.stages_sent(worker), std::vector{Stage::pause});
    harness.advance(1us);
    EXPECT_EQ(harness.stages_sent(worker), (std::vector{Stage::pause, Stage::run}));
    EXPECT_FALSE(harness.status().paused_until);
    EXPECT_THAT(harness.notes("service_resumed"), SizeIs(1));
    harness.accepting(worker, true);
    EXPECT_EQ(harness.state(worker), WorkerState::ready);
    EXPECT_THAT(harness.all<Spawn>(), IsEmpty());
}

TEST(Pause, KeepsTheSlotOfARecalledWorkerForTheGracePeriod) {
    Policy policy;
    policy.max_pause = 60s;
    CoreHarness harness = serving(policy, 1);
    const WorkerId worker = harness.worker(1, 0);
    harness.ask(Pause{});
    harness.advance(60s + policy.grace_period - 1us);
    EXPECT_EQ(harness.state(worker), WorkerState::paused);
    EXPECT_THAT(harness.all<Spawn>(), IsEmpty());
    harness.advance(1us);
    EXPECT_EQ(harness.state(worker), WorkerState::draining);
    EXPECT_THAT(harness.all<Spawn>(), SizeIs(1));
    EXPECT_EQ(harness.status().slots.at(0).crashes_in_a_row, 0);
}

TEST(Pause, AppliesToAWorkerThatBecomesReadyLater) {
    CoreHarness harness = serving({}, 1);
    harness.ask(Pause{});
    const auto until = harness.status().paused_until;
    harness.exited(harness.worker(1, 0), 1);
    harness.advance(1s);
    const WorkerId next = harness.worker(1, 0);
    harness.serve(next);
    EXPECT_EQ(harness.state(next), WorkerState::paused);
    EXPECT_EQ(harness.stages_sent(next), std::vector{Stage::pause});
    EXPECT_EQ(from_usec(*harness.all<Tell>().back().command.deadline_usec), until);
}

TEST(Pause, IsSentAgainToAWorkerThatIsBeingRecalled) {
    CoreHarness harness = serving({}, 1);
    const WorkerId worker = harness.worker(1, 0);
    harness.ask(Pause{});
    harness.ask(Resume{});
    EXPECT_EQ(harness.result(harness.ask(Pause{})), Result::done);
    EXPECT_EQ(harness.stages_sent(worker), (std::vector{Stage::pause, Stage::run, Stage::pause}));
    harness.accepting(worker, true);  // sent before it read the last stage
    EXPECT_EQ(harness.state(worker), WorkerState::paused);
}

TEST(Pause, ReportsHowManyWorkersDoNotSupportIt) {
    Policy policy;
    policy.workers = 2;
    CoreHarness harness(policy);
    harness.serve(harness.worker(1, 0));
    harness.serve_without_hello(harness.worker(1, 1));
    const RequestId pause = harness.ask(Pause{});
    EXPECT_THAT(harness.answer(pause)->text, HasSubstr("1 worker told to pause, 1 cannot pause and still accept"));
    harness.advance(1min);
    EXPECT_EQ(harness.count(WorkerState::ready), 1);
}

TEST(Pause, EndsWhenTheServiceIsStopped) {
    CoreHarness harness = serving({}, 1);
    harness.ask(Pause{});
    harness.signal(Stop{});
    EXPECT_EQ(harness.phase(), Phase::stopping);
    EXPECT_FALSE(harness.status().paused_until);
    harness.exit_all_leaving();
    EXPECT_EQ(harness.exit_code(), 0);
}

TEST(Pause, DoesNotRefuseConnectionsAfterQueueFor) {
    Policy policy;
    policy.queue_for = 1s;
    CoreHarness harness = serving(policy, 1);
    harness.ask(Pause{});
    harness.accepting(harness.worker(1, 0), false);
    harness.exited(harness.worker(1, 0), 1);
    harness.advance(1s);
    harness.exited(harness.worker(1, 0), 1);
    harness.advance(5s);
    EXPECT_THAT(harness.all<SetAdmission>(), IsEmpty());
}

}  // namespace
}  // namespace holdfast::core::testing
