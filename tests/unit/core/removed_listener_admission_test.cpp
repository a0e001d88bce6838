// Admission on listeners that only a leaving generation has.

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

std::vector<Admission> admissions_of(const CoreHarness& harness) {
    std::vector<Admission> found;
    for (const SetRemovedListenerAdmission& set : harness.all<SetRemovedListenerAdmission>())
        found.push_back(set.admission);
    return found;
}

// Returns a service in which two old workers leave after the commit of a reload.
CoreHarness committed(const Policy& policy = {}) {
    CoreHarness harness = serving(policy, 2);
    harness.ask(moved(policy));
    harness.serve_all();
    harness.advance(1s);
    return harness;
}

TEST(RemovedListenerAdmission, RefusesWhenTheLastOldWorkerStopsAccepting) {
    CoreHarness harness = serving({}, 2);
    const WorkerId first = harness.worker_of(0), second = harness.worker_of(1);
    harness.ask(moved({}));
    harness.serve_all();
    harness.advance(1s);
    harness.accepting(first, false);
    EXPECT_THAT(admissions_of(harness), IsEmpty());
    harness.accepting(second, false);
    ASSERT_THAT(admissions_of(harness), ElementsAre(Admission::refuse));
    EXPECT_EQ(harness.all<SetRemovedListenerAdmission>()[0].spec, harness.all<Prepare>()[0].spec);
    EXPECT_THAT(harness.all<ServeWith>(), IsEmpty());  // the listener is closed only when they are gone
}

TEST(RemovedListenerAdmission, AcceptsBeforeTheCommit) {
    CoreHarness harness = serving({}, 1);
    harness.ask(moved({}));
    harness.exited(harness.worker_of(0));
    EXPECT_THAT(admissions_of(harness), IsEmpty());
}

TEST(RemovedListenerAdmission, AcceptsBeforeAnUndoRecallsTheOldWorkers) {
    CoreHarness harness = committed();
    const WorkerId first = harness.worker(1, 0), second = harness.worker(1, 1);
    harness.accepting(first, false);
    harness.accepting(second, false);
    harness.clear_actions();
    harness.ask(Undo{});
    ASSERT_THAT(admissions_of(harness), ElementsAre(Admission::accept));
    EXPECT_LT(harness.index_of<SetRemovedListenerAdmission>(), harness.index_of<Tell>());
}

TEST(RemovedListenerAdmission, RefusesDuringAProbation) {
    CoreHarness harness = committed(with_probation(60s));
    ASSERT_EQ(harness.phase(), Phase::probation);
    harness.accepting(harness.worker(1, 0), false);
    EXPECT_THAT(admissions_of(harness), IsEmpty());
    harness.accepting(harness.worker(1, 1), false);
    EXPECT_THAT(admissions_of(harness), ElementsAre(Admission::refuse));
}

TEST(RemovedListenerAdmission, AcceptsBeforeARollbackRecallsTheOldWorkers) {
    CoreHarness harness = committed(with_probation(60s));
    harness.accepting(harness.worker(1, 0), false);
    harness.accepting(harness.worker(1, 1), false);
    harness.clear_actions();
    harness.exited(harness.worker(2, 0), 1);
    ASSERT_THAT(admissions_of(harness), ElementsAre(Admission::accept));
    EXPECT_LT(harness.index_of<SetRemovedListenerAdmission>(), harness.index_of<Tell>());
}

TEST(RemovedListenerAdmission, RefusesOnListenersOfAFailedGeneration) {
    CoreHarness harness = serving({}, 2);
    harness.ask(moved({}));
    harness.serve(harness.worker(2, 0));
    harness.exited(harness.worker(2, 1), 1);
    EXPECT_THAT(admissions_of(harness), IsEmpty());
    harness.accepting(harness.worker(2, 0), false);
    ASSERT_THAT(admissions_of(harness), ElementsAre(Admission::refuse));
    EXPECT_EQ(harness.all<SetRemovedListenerAdmission>()[0].spec.value, 1U);
}

TEST(RemovedListenerAdmission, AcceptsBeforeAnUndoneStopRecallsWorkers) {
    CoreHarness harness = committed();
    harness.accepting(harness.worker(1, 0), false);
    harness.accepting(harness.worker(1, 1), false);
    harness.ask(Stop{});
    harness.clear_actions();
    harness.ask(Undo{});
    ASSERT_THAT(admissions_of(harness), ElementsAre(Admission::accept));
    EXPECT_LT(harness.index_of<SetRemovedListenerAdmission>(), harness.index_of<Tell>());
}

}  // namespace
}  // namespace holdfast::core::testing
