#include <gtest/gtest.h>

#include <cerrno>

#include "tests/unit/core/core_harness.hpp"

namespace holdfast::core::testing {
namespace {

Policy two_workers() {
    Policy policy;
    policy.workers = 2;
    policy.ready_timeout = 10s;
    return policy;
}

TEST(FirstGeneration, IsReadyWhenAllSlotsAreReady) {
    CoreHarness harness(two_workers());
    EXPECT_EQ(harness.phase(), Phase::starting);
    harness.serve(harness.worker(1, 0));
    EXPECT_TRUE(harness.all<ManagerReady>().empty());
    harness.serve(harness.worker(1, 1));
    EXPECT_EQ(harness.all<ManagerReady>().size(), 1U);
    EXPECT_EQ(harness.phase(), Phase::serving);
}

TEST(FirstGeneration, FailsAtOnceWithOneErrorIfTheCommandCannotBeExecuted) {
    CoreHarness harness(two_workers());
    harness.feed(SpawnFailed{harness.worker(1, 0), "execute ./srv", ENOENT});
    EXPECT_EQ(harness.notes("spawn_failed"),
              std::vector<std::string>{"cannot execute ./srv: No such file or directory"});
    harness.feed(SpawnFailed{harness.worker(1, 1), "execute ./srv", ENOENT});
    EXPECT_EQ(harness.exit_code(), 1);
    EXPECT_EQ(harness.all<Spawn>().size(), 2U);  // no retry
    int errors = 0;
    for (const Note& note : harness.all<Note>()) errors += note.level == Level::error ? 1 : 0;
    EXPECT_EQ(errors, 1);
}

TEST(FirstGeneration, RetriesAfterATransientError) {
    for (const int transient : {EMFILE, ENFILE, ENOMEM, EAGAIN, ENOBUFS, EINTR}) {
        CoreHarness harness(two_workers());
        const WorkerId first = harness.worker(1, 0);
        harness.feed(SpawnFailed{first, "execute ./srv", transient});
        EXPECT_FALSE(harness.exit_code()) << transient;
        EXPECT_NE(harness.worker(1, 0), first) << transient;
    }
}

TEST(FirstGeneration, RetriesExitsWithBackoffWithinItsDeadline) {
    CoreHarness harness(two_workers());
    const Instant start = harness.now();
    int launches = 0;
    while (!harness.exit_code() && launches < 1'000) {
        const WorkerId worker = harness.worker(1, 0);
        if (harness.state(worker) == WorkerState::starting) {
            ++launches;
            harness.spawned(worker);
            harness.exited(worker, 3);
        }
        harness.exit_all_leaving();
        harness.advance(100ms);
    }
    EXPECT_EQ(harness.exit_code(), 1);
    EXPECT_GE(launches, 5);
    EXPECT_LE(launches, 8);
    EXPECT_LE(harness.now() - start, 10s + 200ms);
    const auto why = harness.notes("rollout_failed");
    ASSERT_EQ(why.size(), 1U);
    EXPECT_NE(why[0].find("slot 0: worker 1.0 exited with status 3; its last words: last line"), std::string::npos)
        << why[0];
}

TEST(FirstGeneration, HasOneDeadlineForAllItsWorkers) {
    CoreHarness harness(two_workers());
    const Instant start = harness.now();
    harness.serve(harness.worker(1, 1));
    harness.advance(9s);
    harness.spawned(harness.worker(1, 0));
    harness.exited(harness.worker(1, 0), 1);
    harness.spawned(harness.worker(1, 0));
    harness.hello(harness.worker(1, 0));
    EXPECT_EQ(harness.status().workers.back().deadline, start + 10s);
    harness.advance(1s);
    EXPECT_EQ(harness.first_at<ManagerStopping>(), start + 10s);
    EXPECT_EQ(harness.count(WorkerState::draining), 2);  // all workers go through the stages
    harness.exit_all_leaving();
    EXPECT_EQ(harness.exit_code(), 1);
}

TEST(FirstGeneration, NeedsAllSlotsReadyAtTheSameTime) {
    CoreHarness harness(two_workers());
    harness.serve(harness.worker(1, 0));
    harness.exited(harness.worker(1, 0), 1);
    harness.serve(harness.worker(1, 1));
    EXPECT_TRUE(harness.all<ManagerReady>().empty());
    harness.serve(harness.worker(1, 0));
    EXPECT_EQ(harness.all<ManagerReady>().size(), 1U);
}

TEST(FirstGeneration, ExitsWithZeroIfStoppedBeforeItIsReady) {
    CoreHarness harness(two_workers());
    harness.spawned(harness.worker(1, 0));
    harness.signal(Stop{});
    harness.feed(SpawnFailed{harness.worker(1, 1), "execute ./srv", EMFILE});
    harness.exited(harness.worker(1, 0));
    EXPECT_EQ(harness.exit_code(), 0);
}

TEST(FirstGeneration, ReportsALaunchThatHangs) {
    CoreHarness harness(two_workers());
    harness.serve(harness.worker(1, 1));
    harness.advance(10s);
    const auto why = harness.notes("rollout_failed");
    ASSERT_EQ(why.size(), 1U);
    EXPECT_NE(why[0].find("worker 1.0 is still being launched"), std::string::npos) << why[0];
    harness.exit_all_leaving();
    harness.advance(60s);
    EXPECT_EQ(harness.exit_code(), 1);
}

TEST(FirstGeneration, ExtendsItsDeadlineWithinMaxExtension) {
    Policy policy = two_workers();
    policy.max_extension = 5s;
    CoreHarness harness(policy);
    const Instant start = harness.now();
    harness.serve(harness.worker(1, 1));
    harness.spawned(harness.worker(1, 0));
    harness.advance(9s);
    Report more;
    more.extend_usec = Duration{1h}.count();
    harness.feed(Said{harness.worker(1, 0), more});
    harness.advance(30s);
    EXPECT_EQ(harness.first_at<ManagerStopping>(), start + 15s);
}

TEST(FirstGeneration, RefusesTheQueuedRequestsWhenItFails) {
    CoreHarness harness(two_workers());
    const RequestId restart = harness.ask(Restart{});
    const RequestId scale = harness.ask(Scale{3});
    EXPECT_FALSE(harness.answer(restart));
    harness.advance(10s);
    EXPECT_EQ(harness.result(restart), Outcome::Result::refused);
    EXPECT_EQ(harness.result(scale), Outcome::Result::refused);
}

}  // namespace
}  // namespace holdfast::core::testing
