#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/unit/core/core_harness.hpp"

namespace holdfast::core::testing {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;

TEST(ListenerClaim, IsCheckedOnceWhenAWorkerBecomesReady) {
    CoreHarness harness({});
    EXPECT_THAT(harness.all<CheckListenerClaim>(), IsEmpty());
    harness.serve(harness.worker(1, 0));
    ASSERT_THAT(harness.all<CheckListenerClaim>(), SizeIs(1));
    harness.ask(Pause{});
    harness.ask(Resume{});
    harness.accepting(harness.worker(1, 0), true);
    EXPECT_THAT(harness.all<CheckListenerClaim>(), SizeIs(1));
}

TEST(ListenerClaim, DelaysSettlingUntilItIsKnown) {
    CoreHarness harness({});
    harness.listener_claim = std::nullopt;
    const WorkerId worker = harness.worker(1, 0);
    harness.serve(worker);
    harness.advance(1min);
    EXPECT_FALSE(harness.status().workers.at(0).settled);
    harness.feed(ListenerClaimed{worker, ListenerClaim::held, {}});
    EXPECT_TRUE(harness.status().workers.at(0).settled);
}

TEST(ListenerClaim, ThatIsHeldIsNotLogged) {
    CoreHarness harness = serving({}, 1);
    EXPECT_THAT(harness.notes("listener_not_claimed"), IsEmpty());
    EXPECT_THAT(harness.notes("claim_unknown"), IsEmpty());
}

TEST(ListenerClaim, ThatIsMissingIsLoggedAndIsNoCrash) {
    CoreHarness harness({});
    harness.listener_claim = ListenerClaim::missing;
    harness.serve(harness.worker(1, 0));
    harness.advance(1s);
    EXPECT_THAT(harness.notes("listener_not_claimed"), ElementsAre("no process has :8080 open"));
    EXPECT_EQ(harness.count(WorkerState::ready), 1);
    EXPECT_TRUE(harness.status().workers.at(0).settled);
}

TEST(ListenerClaim, ThatIsMissingFailsTheRollout) {
    CoreHarness harness = serving({}, 1);
    const WorkerId old = harness.worker(1, 0);
    harness.listener_claim = ListenerClaim::missing;
    const RequestId restart = harness.ask(Restart{});
    harness.serve_all();
    harness.exited(harness.worker(2, 0));
    ASSERT_TRUE(harness.answer(restart));
    EXPECT_EQ(harness.result(restart), Outcome::Result::failed);
    EXPECT_THAT(harness.answer(restart)->text, HasSubstr("worker 2.0 cannot serve: no process has :8080 open"));
    EXPECT_THAT(harness.stages_sent(old), IsEmpty());
}

TEST(ListenerClaim, ThatIsUnknownFailsNothing) {
    CoreHarness harness = serving({}, 1);
    harness.listener_claim = ListenerClaim::not_known;
    const RequestId restart = harness.ask(Restart{});
    harness.serve_all();
    EXPECT_THAT(harness.notes("claim_unknown"), SizeIs(1));
    harness.advance(1s);
    harness.exit_all_leaving();
    EXPECT_EQ(harness.result(restart), Outcome::Result::done);
}

TEST(ListenerClaim, DelaysTheCommitUntilItIsKnown) {
    CoreHarness harness = serving({}, 1);
    harness.listener_claim = std::nullopt;
    harness.ask(Restart{});
    harness.serve_all();
    harness.advance(1min);
    EXPECT_THAT(harness.stages_sent(harness.worker(1, 0)), IsEmpty());
    harness.feed(ListenerClaimed{harness.worker(2, 0), ListenerClaim::held, {}});
    EXPECT_EQ(harness.stages_sent(harness.worker(1, 0)), std::vector{Stage::drain});
}

TEST(ListenerClaim, UnexpectedAnswersAreIgnored) {
    CoreHarness harness = serving({}, 1);
    const WorkerId worker = harness.worker(1, 0);
    harness.feed(ListenerClaimed{worker, ListenerClaim::missing, "late"});
    harness.feed(ListenerClaimed{WorkerId{99}, ListenerClaim::missing, "late"});
    EXPECT_THAT(harness.actions(), IsEmpty());
}

}  // namespace
}  // namespace holdfast::core::testing
