// Reload: applying a new policy, replacing the workers, rolling back.

#include <gtest/gtest.h>

#include "tests/unit/core/core_harness.hpp"

namespace holdfast::core::testing {
namespace {

using Result = Outcome::Result;

Reload reload(std::uint64_t plan, const Policy& policy, Reload::Workers workers) {
    return {PlanId{plan}, std::make_shared<const Policy>(policy), workers, "something"};
}

Policy quick() {
    Policy policy;
    policy.workers = 2;
    policy.grace_period = 3s;
    return policy;
}

TEST(Reload, OfThePolicyAppliesAtOnce) {
    CoreHarness harness = serving({}, 2);
    const RequestId asked = harness.ask(reload(7, quick(), Reload::Workers::keep));
    EXPECT_EQ(harness.result(asked), Result::done);
    ASSERT_EQ(harness.all<AdoptPlan>().size(), 1U);
    EXPECT_TRUE(harness.all<Spawn>().empty());
    harness.signal(Stop{});
    EXPECT_EQ(harness.all<Tell>().at(0).command.deadline_usec, to_usec(harness.now() + 3s));
}

TEST(Reload, OfTheNumberOfWorkersScales) {
    CoreHarness harness = serving({}, 2);
    Policy policy = quick();
    policy.workers = 3;
    const RequestId asked = harness.ask(reload(7, policy, Reload::Workers::keep));
    EXPECT_EQ(harness.all<Spawn>().size(), 1U);
    EXPECT_FALSE(harness.answer(asked));
    harness.serve_all();
    EXPECT_EQ(harness.result(asked), Result::done);
    EXPECT_EQ(harness.status().target, 3);
}

TEST(Reload, KeepsAnOperatorsScaleIfWorkersIsUnchanged) {
    CoreHarness harness = serving(quick(), 2);
    harness.ask(Scale{3});
    harness.serve_all();
    harness.ask(reload(7, quick(), Reload::Workers::keep));
    EXPECT_EQ(harness.status().target, 3);
}

TEST(Reload, ThatReplacesTheWorkersIsARolloutWithThePlan) {
    CoreHarness harness = serving({}, 2);
    const RequestId asked = harness.ask(reload(7, quick(), Reload::Workers::replace));
    ASSERT_EQ(harness.all<Prepare>().size(), 1U);
    EXPECT_EQ(harness.all<Prepare>()[0].plan.value, 7U);
    EXPECT_TRUE(harness.all<AdoptPlan>().empty());
    harness.serve_all();
    harness.advance(1s);
    EXPECT_TRUE(harness.all<ServeWith>().empty());  // nothing is closed before the old workers are gone
    harness.exit_all_leaving();
    EXPECT_EQ(harness.result(asked), Result::done);
    ASSERT_EQ(harness.all<AdoptPlan>().size(), 1U);
    ASSERT_EQ(harness.all<ServeWith>().size(), 1U);
    EXPECT_EQ(harness.all<ServeWith>()[0].spec, harness.all<Prepare>()[0].spec);
}

TEST(Reload, ThatFailsRestoresPlanListenersAndPolicy) {
    CoreHarness harness = serving({}, 2);
    const RequestId asked = harness.ask(reload(7, quick(), Reload::Workers::replace));
    harness.exited(harness.last_launched(0), 1);
    harness.exited(harness.last_launched(1), 1);
    EXPECT_EQ(harness.result(asked), Result::failed);
    EXPECT_EQ(harness.all<DropPlan>().size(), 1U);
    EXPECT_TRUE(harness.all<AdoptPlan>().empty());
    ASSERT_EQ(harness.all<ServeWith>().size(), 1U);
    EXPECT_EQ(harness.all<ServeWith>()[0].spec.value, 1U);
    harness.signal(Stop{});
    EXPECT_EQ(harness.all<Tell>().back().command.deadline_usec, to_usec(harness.now() + Policy{}.grace_period));
}

TEST(Reload, InterruptedByAStopRestoresThePolicy) {
    CoreHarness harness = serving({}, 1);
    harness.ask(reload(7, quick(), Reload::Workers::replace));
    harness.signal(Stop{});
    EXPECT_EQ(harness.all<Tell>().at(0).command.deadline_usec, to_usec(harness.now() + Policy{}.grace_period));
}

TEST(Reload, ThatCannotBindIsRefusedAndDropped) {
    CoreHarness harness = serving({}, 1);
    harness.preparation_fault = "cannot listen on :80: permission denied";
    const RequestId asked = harness.ask(reload(7, quick(), Reload::Workers::replace));
    EXPECT_EQ(harness.result(asked), Result::refused);
    EXPECT_EQ(harness.all<DropPlan>().size(), 1U);
    EXPECT_TRUE(harness.all<Spawn>().empty());
}

TEST(Reload, ThatIsQueuedIsReplacedByANewerOne) {
    CoreHarness harness = serving({}, 2);
    harness.ask(Restart{});
    const RequestId first = harness.ask(reload(7, quick(), Reload::Workers::replace));
    const RequestId second = harness.ask(reload(8, quick(), Reload::Workers::replace));
    ASSERT_EQ(harness.all<DropPlan>().size(), 1U);
    EXPECT_EQ(harness.all<DropPlan>()[0].plan.value, 7U);
    harness.serve_all();
    harness.advance(1s);
    harness.exit_all_leaving();
    EXPECT_EQ(harness.all<Prepare>().back().plan.value, 8U);
    harness.serve_all();
    harness.advance(1s);
    harness.exit_all_leaving();
    EXPECT_EQ(harness.result(first), Result::done);
    EXPECT_EQ(harness.result(second), Result::done);
}

TEST(Reload, IsDroppedByAStop) {
    CoreHarness harness = serving({}, 1);
    harness.ask(reload(7, quick(), Reload::Workers::replace));
    harness.ask(reload(8, quick(), Reload::Workers::replace));
    harness.signal(Stop{});
    EXPECT_EQ(harness.all<DropPlan>().size(), 2U);
    const RequestId late = harness.ask(reload(9, quick(), Reload::Workers::replace));
    EXPECT_EQ(harness.result(late), Result::refused);
    EXPECT_EQ(harness.all<DropPlan>().size(), 3U);
}

// The watchdog and ready-when of a worker are those that it was launched with.
TEST(Reload, ThatIsRolledBackRestoresTheHealthSettings) {
    CoreHarness harness = serving({}, 1);
    Policy watched;
    watched.workers = 1;
    watched.watchdog = 5s;
    watched.ready_when = ReadyProbe{ReadyProbe::How::http, ReadyProbe::Where::private_listener, "", "/up"};
    harness.ask(reload(7, watched, Reload::Workers::replace));
    harness.spawned(harness.worker(2, 0));
    harness.hello(harness.worker(2, 0));
    harness.probed(harness.worker(2, 0), ProbeAnswered::Answer::good);
    harness.advance(1s);
    harness.exit_all_leaving();
    harness.report_watchdog(harness.worker(2, 0), Watchdog::alive);
    harness.clear_actions();
    const RequestId back = harness.ask(Rollback{});
    harness.serve(harness.worker(3, 0));
    EXPECT_TRUE(harness.all<Probe>().empty());
    harness.advance(1s);
    harness.exit_all_leaving();
    EXPECT_EQ(harness.result(back), Result::done);
    harness.advance(60s);
    EXPECT_TRUE(harness.notes("worker_crashed").empty());
}

TEST(Reload, ThatReplacesTheWorkersScalesInTheSameStep) {
    CoreHarness harness = serving(quick(), 2);
    Policy policy = quick();
    policy.workers = 3;
    const RequestId asked = harness.ask(reload(7, policy, Reload::Workers::replace));
    harness.serve_all();
    harness.advance(1s);
    harness.clear_actions();
    harness.exit_all_leaving();
    ASSERT_EQ(harness.all<Spawn>().size(), 1U);  // without another event
    EXPECT_EQ(harness.all<Spawn>()[0].slot.value, 2U);
    harness.serve_all();
    EXPECT_EQ(harness.result(asked), Result::done);
}

TEST(Reload, ThatEndsWithMissingWorkersStillScales) {
    Policy policy = quick();
    policy.probation = 2s;
    CoreHarness harness = serving(policy, 2);
    policy.workers = 4;
    const RequestId asked = harness.ask(reload(7, policy, Reload::Workers::replace));
    harness.serve_all();
    harness.advance(1s);
    ASSERT_EQ(harness.phase(), Phase::probation);
    harness.advance(2s);
    harness.exited(harness.worker(2, 1), 9);
    harness.exit_all_leaving();
    harness.advance(std::chrono::minutes(10));
    EXPECT_EQ(harness.result(asked), Result::failed);
    EXPECT_EQ(harness.status().target, 4);
}

}  // namespace
}  // namespace holdfast::core::testing
