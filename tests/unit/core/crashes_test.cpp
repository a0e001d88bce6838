#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cerrno>

#include "tests/unit/core/bench.hpp"

namespace holdfast::core::testing {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;

// How long the slot waited for the launch after the crash of its worker.
Duration crash(Bench& bench, int code) {
    const WorkerId worker = bench.worker(1, 0);
    const Instant start = bench.now();
    bench.exited(worker, code);
    while (bench.worker(1, 0) == worker) {
        if (!bench.next_deadline()) return Duration::max();
        bench.advance(*bench.next_deadline() - bench.now());
    }
    const Duration waited = bench.now() - start;
    bench.serve(bench.worker(1, 0));
    return waited;
}

TEST(Crash, IsAnyExitThatNobodyAskedForAndStatusZeroToo) {
    for (const int code : {0, 1}) {
        Policy policy;
        policy.workers = 1;
        Bench bench(policy);
        bench.serve(bench.worker(1, 0));
        EXPECT_EQ(crash(bench, code), 0s);
        EXPECT_EQ(bench.notes("worker_crashed").size(), 1U);
        EXPECT_EQ(bench.status().restarts, 1U);
        EXPECT_EQ(bench.status().slots.at(0).crashes_in_a_row, 1);
    }
}

TEST(Crash, BacksOffFromTheSecondInARow) {
    Policy policy;
    policy.workers = 1;
    Bench bench(policy);
    bench.serve(bench.worker(1, 0));
    EXPECT_EQ(crash(bench, 1), 0s);
    const Duration second = crash(bench, 1);
    EXPECT_GE(second, policy.backoff_min);
    EXPECT_LE(second, policy.backoff_min * 5 / 4);
    const Duration third = crash(bench, 1);
    EXPECT_GE(third, 2 * policy.backoff_min);
    EXPECT_EQ(bench.status().slots.at(0).crashes_in_a_row, 3);
}

TEST(Crash, IsForgivenAfterTenSecondsOfReady) {
    Policy policy;
    policy.workers = 1;
    Bench bench(policy);
    bench.serve(bench.worker(1, 0));
    crash(bench, 1);
    crash(bench, 1);
    bench.advance(backoff_reset_after - 1us);
    EXPECT_EQ(bench.status().slots.at(0).crashes_in_a_row, 2);
    bench.advance(1us);
    EXPECT_EQ(bench.status().slots.at(0).crashes_in_a_row, 0);
    EXPECT_EQ(crash(bench, 1), 0s);
}

TEST(Crash, OfALaunchCountsLikeAnyOther) {
    Policy policy;
    policy.workers = 1;
    Bench bench(policy);
    bench.serve(bench.worker(1, 0));
    crash(bench, 1);
    bench.exited(bench.worker(1, 0), 1);
    bench.advance(1s);
    const std::size_t before = bench.all<Spawn>().size();
    bench.feed(SpawnFailed{bench.worker(1, 0), "execute ./srv", EMFILE});
    EXPECT_EQ(bench.all<Spawn>().size(), before);  // it backs off
    EXPECT_EQ(bench.notes("spawn_failed"), std::vector<std::string>{"cannot execute ./srv: Too many open files"});
    bench.advance(2s);
    EXPECT_EQ(bench.all<Spawn>().size(), before + 1);
}

TEST(SpawnFailure, ThatSaysWhyInItsStageHasNoErrno) {
    Policy policy;
    policy.workers = 1;
    Bench bench(policy);
    bench.feed(SpawnFailed{bench.worker(1, 0), "find the user www: there is no such user", 0});
    EXPECT_EQ(bench.notes("spawn_failed"), std::vector<std::string>{"cannot find the user www: there is no such user"});
}

TEST(Crash, IsForgivenByAnOperatorsRequest) {
    Policy policy;
    policy.workers = 1;
    Bench bench(policy);
    bench.serve(bench.worker(1, 0));
    for (int i = 0; i < 5; ++i) crash(bench, 1);
    bench.exited(bench.worker(1, 0), 1);
    EXPECT_TRUE(bench.status().slots.at(0).next_attempt);
    const std::size_t before = bench.all<Spawn>().size();
    bench.ask(Scale{1});
    EXPECT_EQ(bench.all<Spawn>().size(), before + 1);
    EXPECT_EQ(bench.status().slots.at(0).crashes_in_a_row, 0);
}

TEST(Crash, IsWhatAWorkerEndsAsThatDoesNotGetReadyInTime) {
    Policy policy;
    policy.workers = 1;
    Bench bench(policy);
    bench.serve(bench.worker(1, 0));
    bench.exited(bench.worker(1, 0), 1);
    const WorkerId slow = bench.worker(1, 0);
    bench.spawned(slow);
    bench.hello(slow);
    bench.advance(policy.ready_timeout);
    EXPECT_EQ(bench.state(slow), WorkerState::draining);
    EXPECT_EQ(bench.all<Tell>().back().command.reason, Reason::unhealthy);
    EXPECT_EQ(bench.status().slots.at(0).crashes_in_a_row, 2);
    EXPECT_EQ(bench.worker(1, 0), slow);  // it backs off
    bench.advance(1s);
    EXPECT_NE(bench.worker(1, 0), slow);
}

TEST(Crash, IsALaunchThatHangsBeyondItsDeadline) {
    Policy policy;
    policy.workers = 1;
    Bench bench(policy);
    bench.serve(bench.worker(1, 0));
    bench.exited(bench.worker(1, 0), 1);
    const WorkerId stuck = bench.worker(1, 0);
    bench.advance(policy.ready_timeout);
    EXPECT_FALSE(bench.state(stuck));
    EXPECT_EQ(bench.notes("spawn_failed"), std::vector<std::string>{"cannot launch: Connection timed out"});
    EXPECT_EQ(bench.all<Forget>().back().worker, stuck);
}

TEST(Crash, NamesItsCause) {
    const struct {
        ExitStatus status;
        KilledBy killed_by;
        const char* words;
    } causes[] = {
        {ExitedWith{9}, KilledBy::not_known, "exited with status 9"},
        {holdfast::KilledBy{9}, KilledBy::not_known, "was killed by signal 9 (SIGKILL)"},
        {holdfast::KilledBy{11, true}, KilledBy::not_known, "was killed by signal 11 (SIGSEGV), core dumped"},
        {holdfast::KilledBy{9}, KilledBy::out_of_memory, "was killed by the kernel: out of memory (SIGKILL)"},
        {ExitedWith{1}, KilledBy::out_of_memory,
         "exited with status 1 after the kernel had killed one of its processes: out of memory"},
    };
    for (const auto& cause : causes) {
        Bench bench = serving({}, 1);
        bench.feed(Exited{bench.worker(1, 0), cause.status, {}, cause.killed_by});
        EXPECT_EQ(bench.status().slots.at(0).last_failure, std::string("worker 1.0 ") + cause.words);
        EXPECT_THAT(bench.notes("worker_crashed"), ElementsAre(HasSubstr(cause.words)));
        EXPECT_THAT(bench.notes("worker_gone"), ElementsAre(HasSubstr(cause.words)));
    }
}

TEST(Crash, OfAWorkerThatHadToLeaveKeepsItsLastWords) {
    Bench bench = serving({}, 1);
    const WorkerId worker = bench.worker(1, 0);
    bench.says(worker, Watchdog::trigger);
    EXPECT_THAT(bench.status().slots.at(0).last_words, IsEmpty());
    bench.exited(worker);
    EXPECT_THAT(bench.status().slots.at(0).last_words, ElementsAre("last line"));
}

TEST(CrashLoop, IsAStateFromTheThirdCrashOnThatIsToldOnce) {
    Bench bench({});
    bench.serve(bench.worker(1, 0));
    for (int i = 0; i < crash_loop_after - 1; ++i) crash(bench, 3);
    EXPECT_THAT(bench.notes("crash_loop"), IsEmpty());
    bench.exited(bench.worker(1, 0), 3);
    EXPECT_THAT(bench.notes("crash_loop"),
                ElementsAre("slot 0 crashes over and over, 3 times in a row: worker 1.0 exited with status 3; its last "
                            "words: last line"));
    EXPECT_THAT(bench.status().detail, HasSubstr("slot 0 crashes over and over"));
    EXPECT_FALSE(bench.status().ready);
    EXPECT_THAT(bench.status().unready_because, HasSubstr("slot 0 crashes over and over: worker 1.0 exited"));
    EXPECT_THAT(bench.status().unready_because, HasSubstr("the next attempt is in "));
    bench.advance(2s);
    bench.exited(bench.worker(1, 0), 3);
    EXPECT_THAT(bench.notes("crash_loop"), SizeIs(1));
}

TEST(CrashLoop, IsOverOnceAWorkerHasBeenReadyForLong) {
    Bench bench({});
    bench.serve(bench.worker(1, 0));
    for (int i = 0; i < crash_loop_after; ++i) crash(bench, 3);
    bench.advance(backoff_reset_after - 1us);
    EXPECT_THAT(bench.notes("crash_loop_over"), IsEmpty());
    EXPECT_TRUE(bench.status().ready);  // enough are ready at the moment
    bench.advance(1us);
    EXPECT_THAT(bench.notes("crash_loop_over"), SizeIs(1));
    EXPECT_EQ(bench.status().detail, "generation 1: 1 of 1 ready");
    EXPECT_FALSE(bench.next_deadline());
}

TEST(CrashLoop, IsOverWhenAnOperatorForgivesIt) {
    Bench bench({});
    bench.serve(bench.worker(1, 0));
    for (int i = 0; i < crash_loop_after; ++i) crash(bench, 3);
    bench.ask(Restart{});
    bench.advance(1us);
    bench.serve_all();
    EXPECT_THAT(bench.notes("crash_loop_over"), SizeIs(1));
}

TEST(CrashLoop, InARolloutIsAFailedRolloutInstead) {
    Policy policy;
    policy.max_surge = {0, false};
    Bench bench = serving(policy, 1);
    bench.ask(Restart{});
    bench.exit_all_leaving();
    bench.exited(bench.worker(2, 0), 3);
    for (int i = 0; i < crash_loop_after; ++i) {
        bench.exited(bench.worker(1, 0), 3);
        bench.advance(5s);
    }
    EXPECT_EQ(bench.phase(), Phase::rolling_back);
    EXPECT_GT(bench.status().slots.at(0).crashes_in_a_row, crash_loop_after);
    EXPECT_THAT(bench.notes("crash_loop"), IsEmpty());
}

TEST(Ledger, HearsOfEachExitAndOfEachKill) {
    Bench bench = serving({}, 1);
    bench.exited(bench.worker(1, 0), 3);
    const auto records = bench.all<Record>();
    ASSERT_THAT(records, SizeIs(1));
    EXPECT_EQ(records[0].event, "worker_exited");
    EXPECT_EQ(records[0].worker, "1.0");
    EXPECT_EQ(records[0].text, "exited with status 3");
    bench.serve_all();
    bench.forget_actions();
    bench.signal(Stop{});
    bench.forget_actions();
    bench.advance(35s);
    ASSERT_THAT(bench.all<Record>(), SizeIs(1));
    EXPECT_EQ(bench.all<Record>()[0].event, "worker_killed");
    EXPECT_THAT(bench.all<Record>()[0].text, HasSubstr("it gave no drain report"));
    bench.feed(Exited{bench.worker(1, 0), holdfast::KilledBy{9}, {}});
    EXPECT_THAT(bench.all<Record>(), SizeIs(2));
}

TEST(OwnStop, BringsTheSuccessorAtOnceAndIsNoCrash) {
    Bench bench = serving({}, 1);
    const WorkerId worker = bench.status().workers.at(0).id;
    bench.advance(5s);
    bench.stopping(worker);
    EXPECT_EQ(bench.state(worker), WorkerState::draining);
    EXPECT_EQ(bench.all<Spawn>().size(), 1U);
    EXPECT_EQ(bench.told(worker), std::vector{Stage::drain});
    EXPECT_EQ(bench.status().slots.at(0).crashes_in_a_row, 0);
    bench.exited(worker);
    EXPECT_EQ(bench.all<Spawn>().size(), 1U);
    EXPECT_TRUE(bench.notes("worker_crashed").empty());
}

TEST(OwnStop, OverAndOverMakesNoBusyLoop) {
    Policy policy;
    policy.workers = 1;
    Bench bench(policy);
    for (int i = 0; i < 1'000 && bench.worker(1, 0).value < 900; ++i) {
        const WorkerId worker = bench.worker(1, 0);
        if (bench.state(worker) == WorkerState::starting) {
            bench.serve(worker);
            bench.stopping(worker);
            bench.exited(worker);
        }
        bench.advance(10ms);
    }
    EXPECT_LE(bench.all<Spawn>().size(), 8U);  // ten seconds
}

TEST(OwnStop, IsWhatAReleaseMeansThatNobodyAskedFor) {
    Bench bench = serving({}, 1);
    const WorkerId worker = bench.status().workers.at(0).id;
    bench.advance(5s);
    Report report;
    report.releasing = true;
    bench.feed(Said{worker, report});
    EXPECT_EQ(bench.state(worker), WorkerState::draining);
    EXPECT_EQ(bench.all<Spawn>().size(), 1U);
}

}  // namespace
}  // namespace holdfast::core::testing
