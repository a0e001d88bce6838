#include <gtest/gtest.h>

#include <cerrno>

#include "tests/unit/core/bench.hpp"

namespace holdfast::core::testing {
namespace {

Policy two_workers() {
    Policy policy;
    policy.workers = 2;
    policy.ready_timeout = 10s;
    return policy;
}

TEST(FirstGeneration, IsReadyWhenAllItsSlotsAre) {
    Bench bench(two_workers());
    EXPECT_EQ(bench.phase(), Phase::starting);
    bench.serve(bench.worker(1, 0));
    EXPECT_TRUE(bench.all<ManagerReady>().empty());
    bench.serve(bench.worker(1, 1));
    EXPECT_EQ(bench.all<ManagerReady>().size(), 1U);
    EXPECT_EQ(bench.phase(), Phase::serving);
}

TEST(FirstGeneration, EndsAtOnceWithOneClearErrorWhenTheCommandCannotBeExecuted) {
    Bench bench(two_workers());
    bench.feed(SpawnFailed{bench.worker(1, 0), "execute ./srv", ENOENT});
    EXPECT_EQ(bench.notes("spawn_failed"), std::vector<std::string>{"cannot execute ./srv: No such file or directory"});
    bench.feed(SpawnFailed{bench.worker(1, 1), "execute ./srv", ENOENT});
    EXPECT_EQ(bench.exit_code(), 1);
    EXPECT_EQ(bench.all<Spawn>().size(), 2U);  // nothing is tried again
    int errors = 0;
    for (const Note& note : bench.all<Note>()) errors += note.level == Level::error ? 1 : 0;
    EXPECT_EQ(errors, 1);
}

TEST(FirstGeneration, TriesAgainWhatMayPass) {
    for (const int passing : {EMFILE, ENFILE, ENOMEM, EAGAIN, ENOBUFS, EINTR}) {
        Bench bench(two_workers());
        const WorkerId first = bench.worker(1, 0);
        bench.feed(SpawnFailed{first, "execute ./srv", passing});
        EXPECT_FALSE(bench.exit_code()) << passing;
        EXPECT_NE(bench.worker(1, 0), first) << passing;
    }
}

TEST(FirstGeneration, RetriesExitsWithBackoffWithinItsDeadline) {
    Bench bench(two_workers());
    const Instant start = bench.now();
    int launches = 0;
    while (!bench.exit_code() && launches < 1'000) {
        const WorkerId worker = bench.worker(1, 0);
        if (bench.state(worker) == WorkerState::starting) {
            ++launches;
            bench.spawned(worker);
            bench.exited(worker, 3);
        }
        bench.exit_all_leaving();
        bench.advance(100ms);
    }
    EXPECT_EQ(bench.exit_code(), 1);
    EXPECT_GE(launches, 5);
    EXPECT_LE(launches, 8);
    EXPECT_LE(bench.now() - start, 10s + 200ms);
    const auto why = bench.notes("rollout_failed");
    ASSERT_EQ(why.size(), 1U);
    EXPECT_NE(why[0].find("slot 0: worker 1.0 exited with status 3; its last words: last line"), std::string::npos)
        << why[0];
}

TEST(FirstGeneration, HasOneDeadlineForAllItsWorkers) {
    Bench bench(two_workers());
    const Instant start = bench.now();
    bench.serve(bench.worker(1, 1));
    bench.advance(9s);
    bench.spawned(bench.worker(1, 0));
    bench.exited(bench.worker(1, 0), 1);
    bench.spawned(bench.worker(1, 0));
    bench.hello(bench.worker(1, 0));
    EXPECT_EQ(bench.status().workers.back().deadline, start + 10s);
    bench.advance(1s);
    EXPECT_EQ(bench.first_at<ManagerStopping>(), start + 10s);
    EXPECT_EQ(bench.count(WorkerState::draining), 2);  // everybody climbs the ladder
    bench.exit_all_leaving();
    EXPECT_EQ(bench.exit_code(), 1);
}

TEST(FirstGeneration, NeedsAllSlotsReadyAtTheSameTime) {
    Bench bench(two_workers());
    bench.serve(bench.worker(1, 0));
    bench.exited(bench.worker(1, 0), 1);
    bench.serve(bench.worker(1, 1));
    EXPECT_TRUE(bench.all<ManagerReady>().empty());
    bench.serve(bench.worker(1, 0));
    EXPECT_EQ(bench.all<ManagerReady>().size(), 1U);
}

TEST(FirstGeneration, StoppedBeforeItIsReadyEndsWithZero) {
    Bench bench(two_workers());
    bench.spawned(bench.worker(1, 0));
    bench.signal(Stop{});
    bench.feed(SpawnFailed{bench.worker(1, 1), "execute ./srv", EMFILE});
    bench.exited(bench.worker(1, 0));
    EXPECT_EQ(bench.exit_code(), 0);
}

TEST(FirstGeneration, ReportsALaunchThatHangs) {
    Bench bench(two_workers());
    bench.serve(bench.worker(1, 1));
    bench.advance(10s);
    const auto why = bench.notes("rollout_failed");
    ASSERT_EQ(why.size(), 1U);
    EXPECT_NE(why[0].find("worker 1.0 is still being launched"), std::string::npos) << why[0];
    bench.exit_all_leaving();
    bench.advance(60s);
    EXPECT_EQ(bench.exit_code(), 1);
}

TEST(FirstGeneration, GivesMoreTimeWithinMaxExtension) {
    Policy policy = two_workers();
    policy.max_extension = 5s;
    Bench bench(policy);
    const Instant start = bench.now();
    bench.serve(bench.worker(1, 1));
    bench.spawned(bench.worker(1, 0));
    bench.advance(9s);
    Report more;
    more.extend_usec = Duration{1h}.count();
    bench.feed(Said{bench.worker(1, 0), more});
    bench.advance(30s);
    EXPECT_EQ(bench.first_at<ManagerStopping>(), start + 15s);
}

TEST(FirstGeneration, RefusesWhatWaitedForItWhenItFails) {
    Bench bench(two_workers());
    const RequestId restart = bench.ask(Restart{});
    const RequestId scale = bench.ask(Scale{3});
    EXPECT_FALSE(bench.answer(restart));
    bench.advance(10s);
    EXPECT_EQ(bench.result(restart), Outcome::Result::refused);
    EXPECT_EQ(bench.result(scale), Outcome::Result::refused);
}

}  // namespace
}  // namespace holdfast::core::testing
