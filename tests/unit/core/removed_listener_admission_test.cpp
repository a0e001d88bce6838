// What becomes of the clients of a listener that only a leaving generation has.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/unit/core/core_harness.hpp"

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

std::vector<Admission> others(const CoreHarness& harness) {
    std::vector<Admission> found;
    for (const SetRemovedListenerAdmission& set : harness.all<SetRemovedListenerAdmission>())
        found.push_back(set.admission);
    return found;
}

// Two workers that leave for two of a new generation.
CoreHarness taken_over(const Policy& policy = {}) {
    CoreHarness harness = serving(policy, 2);
    harness.ask(moved(policy));
    harness.serve_all();
    harness.advance(1s);
    return harness;
}

TEST(RemovedListenerAdmission, CloseWhenTheLastOfTheOldOnesAcceptsNoMore) {
    CoreHarness harness = serving({}, 2);
    const WorkerId first = harness.worker_of(0), second = harness.worker_of(1);
    harness.ask(moved({}));
    harness.serve_all();
    harness.advance(1s);
    harness.accepting(first, false);
    EXPECT_THAT(others(harness), IsEmpty());
    harness.accepting(second, false);
    ASSERT_THAT(others(harness), ElementsAre(Admission::refuse));
    EXPECT_EQ(harness.all<SetRemovedListenerAdmission>()[0].spec, harness.all<Prepare>()[0].spec);
    EXPECT_THAT(harness.all<ServeWith>(), IsEmpty());  // closed for good only when they have ended
}

TEST(RemovedListenerAdmission, StayOpenBeforeTheCommit) {
    CoreHarness harness = serving({}, 1);
    harness.ask(moved({}));
    harness.exited(harness.worker_of(0));
    EXPECT_THAT(others(harness), IsEmpty());
}

TEST(RemovedListenerAdmission, OpenBeforeAnUndoBringsTheOldOnesBack) {
    CoreHarness harness = taken_over();
    const WorkerId first = harness.worker(1, 0), second = harness.worker(1, 1);
    harness.accepting(first, false);
    harness.accepting(second, false);
    harness.forget_actions();
    harness.ask(Undo{});
    ASSERT_THAT(others(harness), ElementsAre(Admission::accept));
    EXPECT_LT(harness.index_of<SetRemovedListenerAdmission>(), harness.index_of<Tell>());
}

TEST(RemovedListenerAdmission, CloseInAProbationToo) {
    CoreHarness harness = taken_over(with_probation(60s));
    ASSERT_EQ(harness.phase(), Phase::probation);
    harness.accepting(harness.worker(1, 0), false);
    EXPECT_THAT(others(harness), IsEmpty());
    harness.accepting(harness.worker(1, 1), false);
    EXPECT_THAT(others(harness), ElementsAre(Admission::refuse));
}

TEST(RemovedListenerAdmission, OpenWhenAFailureInTheProbationBringsTheOldOnesBack) {
    CoreHarness harness = taken_over(with_probation(60s));
    harness.accepting(harness.worker(1, 0), false);
    harness.accepting(harness.worker(1, 1), false);
    harness.forget_actions();
    harness.exited(harness.worker(2, 0), 1);
    ASSERT_THAT(others(harness), ElementsAre(Admission::accept));
    EXPECT_LT(harness.index_of<SetRemovedListenerAdmission>(), harness.index_of<Tell>());
}

TEST(RemovedListenerAdmission, CloseForWhatOnlyTheFailedGenerationHad) {
    CoreHarness harness = serving({}, 2);
    harness.ask(moved({}));
    harness.serve(harness.worker(2, 0));
    harness.exited(harness.worker(2, 1), 1);
    EXPECT_THAT(others(harness), IsEmpty());
    harness.accepting(harness.worker(2, 0), false);
    ASSERT_THAT(others(harness), ElementsAre(Admission::refuse));
    EXPECT_EQ(harness.all<SetRemovedListenerAdmission>()[0].spec.value, 1U);
}

TEST(RemovedListenerAdmission, OpenBeforeAnUndoneStopLaunchesAnybody) {
    CoreHarness harness = taken_over();
    harness.accepting(harness.worker(1, 0), false);
    harness.accepting(harness.worker(1, 1), false);
    harness.ask(Stop{});
    harness.forget_actions();
    harness.ask(Undo{});
    ASSERT_THAT(others(harness), ElementsAre(Admission::accept));
    EXPECT_LT(harness.index_of<SetRemovedListenerAdmission>(), harness.index_of<Tell>());
}

}  // namespace
}  // namespace holdfast::core::testing
