// What becomes of the clients of a listener that only a leaving generation has.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/unit/core/bench.hpp"

namespace holdfast::core::testing {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

Policy with_probation(Duration probation) {
    Policy policy;
    policy.probation = probation;
    return policy;
}

Reload moved(const Policy& policy) {
    return {PlanId{7}, std::make_shared<const Policy>(policy), Reload::Workers::replace, "a listener"};
}

std::vector<Doors> others(const Bench& bench) {
    std::vector<Doors> found;
    for (const SetOtherDoors& set : bench.all<SetOtherDoors>()) found.push_back(set.doors);
    return found;
}

// Two workers that leave for two of a new generation.
Bench taken_over(const Policy& policy = {}) {
    Bench bench = serving(policy, 2);
    bench.ask(moved(policy));
    bench.serve_all();
    bench.advance(1s);
    return bench;
}

TEST(OtherDoors, CloseWhenTheLastOfTheOldOnesAcceptsNoMore) {
    Bench bench = serving({}, 2);
    const WorkerId first = bench.worker_of(0), second = bench.worker_of(1);
    bench.ask(moved({}));
    bench.serve_all();
    bench.advance(1s);
    bench.accepting(first, false);
    EXPECT_THAT(others(bench), IsEmpty());
    bench.accepting(second, false);
    ASSERT_THAT(others(bench), ElementsAre(Doors::refuse));
    EXPECT_EQ(bench.all<SetOtherDoors>()[0].spec, bench.all<Prepare>()[0].spec);
    EXPECT_THAT(bench.all<ServeWith>(), IsEmpty());  // closed for good only when they have ended
}

TEST(OtherDoors, StayOpenBeforeTheCommit) {
    Bench bench = serving({}, 1);
    bench.ask(moved({}));
    bench.exited(bench.worker_of(0));
    EXPECT_THAT(others(bench), IsEmpty());
}

TEST(OtherDoors, OpenBeforeAnUndoBringsTheOldOnesBack) {
    Bench bench = taken_over();
    const WorkerId first = bench.worker(1, 0), second = bench.worker(1, 1);
    bench.accepting(first, false);
    bench.accepting(second, false);
    bench.forget_actions();
    bench.ask(Undo{});
    ASSERT_THAT(others(bench), ElementsAre(Doors::accept));
    EXPECT_LT(bench.index_of<SetOtherDoors>(), bench.index_of<Tell>());
}

TEST(OtherDoors, CloseInAProbationToo) {
    Bench bench = taken_over(with_probation(60s));
    ASSERT_EQ(bench.phase(), Phase::probation);
    bench.accepting(bench.worker(1, 0), false);
    EXPECT_THAT(others(bench), IsEmpty());
    bench.accepting(bench.worker(1, 1), false);
    EXPECT_THAT(others(bench), ElementsAre(Doors::refuse));
}

TEST(OtherDoors, OpenWhenAFailureInTheProbationBringsTheOldOnesBack) {
    Bench bench = taken_over(with_probation(60s));
    bench.accepting(bench.worker(1, 0), false);
    bench.accepting(bench.worker(1, 1), false);
    bench.forget_actions();
    bench.exited(bench.worker(2, 0), 1);
    ASSERT_THAT(others(bench), ElementsAre(Doors::accept));
    EXPECT_LT(bench.index_of<SetOtherDoors>(), bench.index_of<Tell>());
}

TEST(OtherDoors, CloseForWhatOnlyTheFailedGenerationHad) {
    Bench bench = serving({}, 2);
    bench.ask(moved({}));
    bench.serve(bench.worker(2, 0));
    bench.exited(bench.worker(2, 1), 1);
    EXPECT_THAT(others(bench), IsEmpty());
    bench.accepting(bench.worker(2, 0), false);
    ASSERT_THAT(others(bench), ElementsAre(Doors::refuse));
    EXPECT_EQ(bench.all<SetOtherDoors>()[0].spec.value, 1U);
}

TEST(OtherDoors, OpenBeforeAnUndoneStopLaunchesAnybody) {
    Bench bench = taken_over();
    bench.accepting(bench.worker(1, 0), false);
    bench.accepting(bench.worker(1, 1), false);
    bench.ask(Stop{});
    bench.forget_actions();
    bench.ask(Undo{});
    ASSERT_THAT(others(bench), ElementsAre(Doors::accept));
    EXPECT_LT(bench.index_of<SetOtherDoors>(), bench.index_of<Tell>());
}

}  // namespace
}  // namespace holdfast::core::testing
