#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/unit/core/core_harness.hpp"

namespace holdfast::core::testing {
namespace {

using ::testing::HasSubstr;

TEST(Ready, OnlyAfterTheFirstGenerationWasReady) {
    Policy policy;
    policy.workers = 2;
    CoreHarness harness(policy);
    harness.serve(harness.worker(1, 0));
    EXPECT_FALSE(harness.status().ready);
    EXPECT_EQ(harness.status().unready_because, "the service has not become ready yet: 1 of 2 workers");
    harness.serve(harness.worker(1, 1));
    EXPECT_TRUE(harness.status().ready);
    EXPECT_EQ(harness.status().unready_because, "");
}

TEST(Ready, DependsOnMinReady) {
    Policy policy;
    policy.min_ready = 2;
    policy.backoff_min = policy.backoff_max = 4s;
    CoreHarness harness = serving(policy, 2);
    EXPECT_TRUE(harness.status().ready);
    harness.exited(harness.worker(1, 0), 1);
    EXPECT_FALSE(harness.status().ready);
    EXPECT_EQ(harness.status().unready_because, "1 of 2 workers is ready, and --min-ready is 2");
    harness.serve_all();
    EXPECT_TRUE(harness.status().ready);
}

TEST(Ready, NotWhileStoppingOrPaused) {
    Policy policy;
    policy.lame_duck = 10s;
    CoreHarness harness = serving(policy, 1);
    harness.ask(Pause{});
    EXPECT_THAT(harness.status().unready_because, HasSubstr("paused by uid 0"));
    harness.ask(Resume{});
    harness.accepting(harness.worker(1, 0), true);
    EXPECT_TRUE(harness.status().ready);
    harness.signal(Stop{});
    EXPECT_EQ(harness.count(WorkerState::lame_duck), 1);
    EXPECT_EQ(harness.status().unready_because, "the service is being stopped");
}

TEST(Ready, NotWhileConnectionsAreRefused) {
    Policy policy;
    policy.min_ready = 0;
    CoreHarness harness = serving(policy, 1);
    harness.ask(Scale{0});
    harness.exit_all_leaving();
    EXPECT_TRUE(harness.status().refusing);
    EXPECT_FALSE(harness.status().ready);
}

TEST(Change, IsShownWithItsStages) {
    Policy policy;
    policy.probation = 1min;
    CoreHarness harness = serving(policy, 1);
    EXPECT_FALSE(harness.status().change);
    harness.preparation_fault = std::nullopt;
    harness.ask(Restart{});
    ASSERT_TRUE(harness.status().change);
    EXPECT_EQ(harness.status().change->what, "restart to generation 2");
    EXPECT_EQ(harness.status().change->asked_by, "uid 0");
    EXPECT_EQ(harness.status().change->stage, "checking");
    EXPECT_EQ(harness.status().detail, "checking generation 2; generation 1: 1 of 1 ready");
    harness.feed(Prepared{harness.all<Prepare>().back().spec, {}, {}});
    EXPECT_EQ(harness.status().change->stage, "starting");
    harness.ask(Scale{2});
    EXPECT_EQ(harness.status().change->waiting, 1);
    harness.serve_all();
    harness.advance(policy.settle);
    EXPECT_EQ(harness.status().change->stage, "probation");
    EXPECT_EQ(harness.status().change->deadline, harness.now() + 1min);
    EXPECT_EQ(harness.phase(), Phase::probation);
    harness.advance(1min);
    EXPECT_EQ(harness.status().change->stage, "retiring");
    harness.exit_all_leaving();
    ASSERT_TRUE(harness.status().change);
    EXPECT_EQ(harness.status().change->what, "scale to 2");
    EXPECT_EQ(harness.status().rollback_to, Generation{1});
}

TEST(Change, ThatFailedIsShownWithTheCause) {
    Policy policy;
    policy.probation = 1min;
    CoreHarness harness = serving(policy, 1);
    harness.ask(Restart{});
    harness.serve_all();
    harness.advance(policy.settle);
    harness.exited(harness.worker(2, 0), 3);
    ASSERT_TRUE(harness.status().change);
    EXPECT_EQ(harness.status().change->stage, "rolling back");
    EXPECT_THAT(harness.status().change->failure, HasSubstr("worker 2.0 exited with status 3"));
    EXPECT_TRUE(harness.status().change->deadline);
    EXPECT_EQ(harness.phase(), Phase::rolling_back);
    EXPECT_EQ(harness.status().workers.at(0).recall, WorkerStatus::Recall::awaited);
}

}  // namespace
}  // namespace holdfast::core::testing
