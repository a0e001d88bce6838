#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/unit/core/bench.hpp"

namespace holdfast::core::testing {
namespace {

using ::testing::HasSubstr;

TEST(Ready, IsAServiceThatHasServedAndNotBefore) {
    Policy policy;
    policy.workers = 2;
    Bench bench(policy);
    bench.serve(bench.worker(1, 0));
    EXPECT_FALSE(bench.status().ready);
    EXPECT_EQ(bench.status().unready_because, "it has not got ready yet: 1 of 2 workers");
    bench.serve(bench.worker(1, 1));
    EXPECT_TRUE(bench.status().ready);
    EXPECT_EQ(bench.status().unready_because, "");
}

TEST(Ready, IsAQuestionOfMinReady) {
    Policy policy;
    policy.min_ready = 2;
    policy.backoff_min = policy.backoff_max = 4s;
    Bench bench = serving(policy, 2);
    EXPECT_TRUE(bench.status().ready);
    bench.exited(bench.worker(1, 0), 1);
    EXPECT_FALSE(bench.status().ready);
    EXPECT_EQ(bench.status().unready_because, "1 of 2 workers is ready, and --min-ready asks for 2");
    bench.serve_all();
    EXPECT_TRUE(bench.status().ready);
}

TEST(Ready, IsNoServiceThatEndsOrIsPaused) {
    Policy policy;
    policy.lame_duck = 10s;
    Bench bench = serving(policy, 1);
    bench.ask(Pause{});
    EXPECT_THAT(bench.status().unready_because, HasSubstr("paused by uid 0"));
    bench.ask(Resume{});
    bench.accepting(bench.worker(1, 0), true);
    EXPECT_TRUE(bench.status().ready);
    bench.signal(Stop{});
    EXPECT_EQ(bench.count(WorkerState::lame_duck), 1);
    EXPECT_EQ(bench.status().unready_because, "the service is being stopped");
}

TEST(Ready, IsNoServiceThatRefusesItsClients) {
    Policy policy;
    policy.min_ready = 0;
    Bench bench = serving(policy, 1);
    bench.ask(Scale{0});
    bench.exit_all_leaving();
    EXPECT_TRUE(bench.status().refusing);
    EXPECT_FALSE(bench.status().ready);
}

TEST(Change, IsToldInItsStages) {
    Policy policy;
    policy.probation = 1min;
    Bench bench = serving(policy, 1);
    EXPECT_FALSE(bench.status().change);
    bench.preparation_fault = std::nullopt;
    bench.ask(Restart{});
    ASSERT_TRUE(bench.status().change);
    EXPECT_EQ(bench.status().change->what, "restart to generation 2");
    EXPECT_EQ(bench.status().change->asked_by, "uid 0");
    EXPECT_EQ(bench.status().change->stage, "checking");
    EXPECT_EQ(bench.status().detail, "checking generation 2; generation 1: 1 of 1 ready");
    bench.feed(Prepared{bench.all<Prepare>().back().spec, {}, {}});
    EXPECT_EQ(bench.status().change->stage, "starting");
    bench.ask(Scale{2});
    EXPECT_EQ(bench.status().change->waiting, 1);
    bench.serve_all();
    bench.advance(policy.settle);
    EXPECT_EQ(bench.status().change->stage, "probation");
    EXPECT_EQ(bench.status().change->deadline, bench.now() + 1min);
    EXPECT_EQ(bench.phase(), Phase::probation);
    bench.advance(1min);
    EXPECT_EQ(bench.status().change->stage, "retiring");
    bench.exit_all_leaving();
    ASSERT_TRUE(bench.status().change);
    EXPECT_EQ(bench.status().change->what, "scale to 2");
    EXPECT_EQ(bench.status().rollback_to, Generation{1});
}

TEST(Change, ThatFailedSaysWhatBy) {
    Policy policy;
    policy.probation = 1min;
    Bench bench = serving(policy, 1);
    bench.ask(Restart{});
    bench.serve_all();
    bench.advance(policy.settle);
    bench.exited(bench.worker(2, 0), 3);
    ASSERT_TRUE(bench.status().change);
    EXPECT_EQ(bench.status().change->stage, "rolling back");
    EXPECT_THAT(bench.status().change->failure, HasSubstr("worker 2.0 exited with status 3"));
    EXPECT_TRUE(bench.status().change->deadline);
    EXPECT_EQ(bench.phase(), Phase::rolling_back);
    EXPECT_EQ(bench.status().workers.at(0).recall, WorkerStatus::Recall::awaited);
}

}  // namespace
}  // namespace holdfast::core::testing
