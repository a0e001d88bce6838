// A configuration that was read again: its numbers, its workers, its way back.

#include <gtest/gtest.h>

#include "tests/unit/core/bench.hpp"

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

TEST(Reload, ThatWorkersDoNotSeeHoldsAtOnce) {
    Bench bench = serving({}, 2);
    const RequestId asked = bench.ask(reload(7, quick(), Reload::Workers::keep));
    EXPECT_EQ(bench.result(asked), Result::done);
    ASSERT_EQ(bench.all<AdoptPlan>().size(), 1U);
    EXPECT_TRUE(bench.all<Spawn>().empty());
    bench.signal(Stop{});
    EXPECT_EQ(bench.all<Tell>().at(0).command.deadline_usec, to_usec(bench.now() + 3s));
}

TEST(Reload, OfTheNumberOfWorkersScales) {
    Bench bench = serving({}, 2);
    Policy policy = quick();
    policy.workers = 3;
    const RequestId asked = bench.ask(reload(7, policy, Reload::Workers::keep));
    EXPECT_EQ(bench.all<Spawn>().size(), 1U);
    EXPECT_FALSE(bench.answer(asked));
    bench.serve_all();
    EXPECT_EQ(bench.result(asked), Result::done);
    EXPECT_EQ(bench.status().target, 3);
}

TEST(Reload, LeavesWhatAnOperatorScaledToWhereTheFileStayedTheSame) {
    Bench bench = serving(quick(), 2);
    bench.ask(Scale{3});
    bench.serve_all();
    bench.ask(reload(7, quick(), Reload::Workers::keep));
    EXPECT_EQ(bench.status().target, 3);
}

TEST(Reload, ThatWorkersSeeIsARolloutWithThePlan) {
    Bench bench = serving({}, 2);
    const RequestId asked = bench.ask(reload(7, quick(), Reload::Workers::replace));
    ASSERT_EQ(bench.all<Prepare>().size(), 1U);
    EXPECT_EQ(bench.all<Prepare>()[0].plan.value, 7U);
    EXPECT_TRUE(bench.all<AdoptPlan>().empty());
    bench.serve_all();
    bench.advance(1s);
    EXPECT_TRUE(bench.all<ServeWith>().empty());  // nothing is closed before the old ones are gone
    bench.exit_all_leaving();
    EXPECT_EQ(bench.result(asked), Result::done);
    ASSERT_EQ(bench.all<AdoptPlan>().size(), 1U);
    ASSERT_EQ(bench.all<ServeWith>().size(), 1U);
    EXPECT_EQ(bench.all<ServeWith>()[0].spec, bench.all<Prepare>()[0].spec);
}

TEST(Reload, ThatFailsGivesEverythingBack) {
    Bench bench = serving({}, 2);
    const RequestId asked = bench.ask(reload(7, quick(), Reload::Workers::replace));
    bench.exited(bench.last_launched(0), 1);
    bench.exited(bench.last_launched(1), 1);
    EXPECT_EQ(bench.result(asked), Result::failed);
    EXPECT_EQ(bench.all<DropPlan>().size(), 1U);
    EXPECT_TRUE(bench.all<AdoptPlan>().empty());
    ASSERT_EQ(bench.all<ServeWith>().size(), 1U);
    EXPECT_EQ(bench.all<ServeWith>()[0].spec.value, 1U);
    bench.signal(Stop{});
    EXPECT_EQ(bench.all<Tell>().back().command.deadline_usec, to_usec(bench.now() + Policy{}.grace_period));
}

TEST(Reload, ThatAStopInterruptsGivesItsNumbersBack) {
    Bench bench = serving({}, 1);
    bench.ask(reload(7, quick(), Reload::Workers::replace));
    bench.signal(Stop{});
    EXPECT_EQ(bench.all<Tell>().at(0).command.deadline_usec, to_usec(bench.now() + Policy{}.grace_period));
}

TEST(Reload, ThatCannotBindIsRefusedAndDropped) {
    Bench bench = serving({}, 1);
    bench.preparation_fault = "cannot listen on :80: permission denied";
    const RequestId asked = bench.ask(reload(7, quick(), Reload::Workers::replace));
    EXPECT_EQ(bench.result(asked), Result::refused);
    EXPECT_EQ(bench.all<DropPlan>().size(), 1U);
    EXPECT_TRUE(bench.all<Spawn>().empty());
}

TEST(Reload, ThatWaitsIsDroppedForANewerOne) {
    Bench bench = serving({}, 2);
    bench.ask(Restart{});
    const RequestId first = bench.ask(reload(7, quick(), Reload::Workers::replace));
    const RequestId second = bench.ask(reload(8, quick(), Reload::Workers::replace));
    ASSERT_EQ(bench.all<DropPlan>().size(), 1U);
    EXPECT_EQ(bench.all<DropPlan>()[0].plan.value, 7U);
    bench.serve_all();
    bench.advance(1s);
    bench.exit_all_leaving();
    EXPECT_EQ(bench.all<Prepare>().back().plan.value, 8U);
    bench.serve_all();
    bench.advance(1s);
    bench.exit_all_leaving();
    EXPECT_EQ(bench.result(first), Result::done);
    EXPECT_EQ(bench.result(second), Result::done);
}

TEST(Reload, IsDroppedByAStop) {
    Bench bench = serving({}, 1);
    bench.ask(reload(7, quick(), Reload::Workers::replace));
    bench.ask(reload(8, quick(), Reload::Workers::replace));
    bench.signal(Stop{});
    EXPECT_EQ(bench.all<DropPlan>().size(), 2U);
    const RequestId late = bench.ask(reload(9, quick(), Reload::Workers::replace));
    EXPECT_EQ(bench.result(late), Result::refused);
    EXPECT_EQ(bench.all<DropPlan>().size(), 3U);
}

// Workers are launched with a watchdog and a way to get ready, and are judged by these.
TEST(Reload, ThatIsRolledBackGivesWorkersTheTermsThatTheyWereLaunchedWith) {
    Bench bench = serving({}, 1);
    Policy watched;
    watched.workers = 1;
    watched.watchdog = 5s;
    watched.ready_when = ReadyProbe{ReadyProbe::How::http, ReadyProbe::Where::private_listener, "", "/up"};
    bench.ask(reload(7, watched, Reload::Workers::replace));
    bench.spawned(bench.worker(2, 0));
    bench.hello(bench.worker(2, 0));
    bench.probed(bench.worker(2, 0), ProbeAnswered::Answer::good);
    bench.advance(1s);
    bench.exit_all_leaving();
    bench.says(bench.worker(2, 0), Watchdog::alive);
    bench.forget_actions();
    const RequestId back = bench.ask(Rollback{});
    bench.serve(bench.worker(3, 0));
    EXPECT_TRUE(bench.all<Probe>().empty());
    bench.advance(1s);
    bench.exit_all_leaving();
    EXPECT_EQ(bench.result(back), Result::done);
    bench.advance(60s);
    EXPECT_TRUE(bench.notes("worker_crashed").empty());
}

TEST(Reload, ThatReplacesWorkersChangesTheirNumberAtOnceAfterwards) {
    Bench bench = serving(quick(), 2);
    Policy policy = quick();
    policy.workers = 3;
    const RequestId asked = bench.ask(reload(7, policy, Reload::Workers::replace));
    bench.serve_all();
    bench.advance(1s);
    bench.forget_actions();
    bench.exit_all_leaving();
    ASSERT_EQ(bench.all<Spawn>().size(), 1U);  // without any further event
    EXPECT_EQ(bench.all<Spawn>()[0].slot.value, 2U);
    bench.serve_all();
    EXPECT_EQ(bench.result(asked), Result::done);
}

TEST(Reload, ThatEndsShortOfWorkersStillChangesTheirNumber) {
    Policy policy = quick();
    policy.probation = 2s;
    Bench bench = serving(policy, 2);
    policy.workers = 4;
    const RequestId asked = bench.ask(reload(7, policy, Reload::Workers::replace));
    bench.serve_all();
    bench.advance(1s);
    ASSERT_EQ(bench.phase(), Phase::probation);
    bench.advance(2s);
    bench.exited(bench.worker(2, 1), 9);
    bench.exit_all_leaving();
    bench.advance(std::chrono::minutes(10));
    EXPECT_EQ(bench.result(asked), Result::failed);
    EXPECT_EQ(bench.status().target, 4);
}

}  // namespace
}  // namespace holdfast::core::testing
