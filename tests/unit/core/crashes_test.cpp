#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cerrno>

#include "tests/unit/core/core_harness.hpp"

namespace holdfast::core::testing {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;

// Crashes the worker and serves its successor. Returns the backoff between the two.
Duration crash(CoreHarness& harness, int code) {
    const WorkerId worker = harness.worker(1, 0);
    const Instant start = harness.now();
    harness.exited(worker, code);
    while (harness.worker(1, 0) == worker) {
        if (!harness.next_deadline()) return Duration::max();
        harness.advance(*harness.next_deadline() - harness.now());
    }
    const Duration waited = harness.now() - start;
    harness.serve(harness.worker(1, 0));
    return waited;
}

TEST(Crash, IsAnyUnrequestedExitAlsoWithStatusZero) {
    for (const int code : {0, 1}) {
        Policy policy;
        policy.workers = 1;
        CoreHarness harness(policy);
        harness.serve(harness.worker(1, 0));
        EXPECT_EQ(crash(harness, code), 0s);
        EXPECT_EQ(harness.notes("worker_crashed").size(), 1U);
        EXPECT_EQ(harness.status().restarts, 1U);
        EXPECT_EQ(harness.status().slots.at(0).crashes_in_a_row, 1);
    }
}

TEST(Crash, StartsTheBackoffFromTheSecondInARow) {
    Policy policy;
    policy.workers = 1;
    CoreHarness harness(policy);
    harness.serve(harness.worker(1, 0));
    EXPECT_EQ(crash(harness, 1), 0s);
    const Duration second = crash(harness, 1);
    EXPECT_GE(second, policy.backoff_min);
    EXPECT_LE(second, policy.backoff_min * 5 / 4);
    const Duration third = crash(harness, 1);
    EXPECT_GE(third, 2 * policy.backoff_min);
    EXPECT_EQ(harness.status().slots.at(0).crashes_in_a_row, 3);
}

TEST(Crash, IsForgottenAfterTenSecondsReady) {
    Policy policy;
    policy.workers = 1;
    CoreHarness harness(policy);
    harness.serve(harness.worker(1, 0));
    crash(harness, 1);
    crash(harness, 1);
    harness.advance(backoff_reset_after - 1us);
    EXPECT_EQ(harness.status().slots.at(0).crashes_in_a_row, 2);
    harness.advance(1us);
    EXPECT_EQ(harness.status().slots.at(0).crashes_in_a_row, 0);
    EXPECT_EQ(crash(harness, 1), 0s);
}

TEST(Crash, IsAlsoAFailedLaunch) {
    Policy policy;
    policy.workers = 1;
    CoreHarness harness(policy);
    harness.serve(harness.worker(1, 0));
    crash(harness, 1);
    harness.exited(harness.worker(1, 0), 1);
    harness.advance(1s);
    const std::size_t before = harness.all<Spawn>().size();
    harness.feed(SpawnFailed{harness.worker(1, 0), "execute ./srv", EMFILE});
    EXPECT_EQ(harness.all<Spawn>().size(), before);  // in backoff
    EXPECT_THAT(harness.notes("spawn_failed"),
                ::testing::ElementsAre(::testing::StartsWith("cannot execute ./srv: Too many open files")));
    harness.advance(2s);
    EXPECT_EQ(harness.all<Spawn>().size(), before + 1);
}

TEST(SpawnFailure, WithoutErrnoNamesTheCauseInItsStage) {
    Policy policy;
    policy.workers = 1;
    CoreHarness harness(policy);
    harness.feed(SpawnFailed{harness.worker(1, 0), "find the user www: there is no such user", 0});
    EXPECT_EQ(harness.notes("spawn_failed"),
              std::vector<std::string>{"cannot find the user www: there is no such user"});
}

TEST(Crash, IsForgottenOnAnOperatorsRequest) {
    Policy policy;
    policy.workers = 1;
    CoreHarness harness(policy);
    harness.serve(harness.worker(1, 0));
    for (int i = 0; i < 5; ++i) crash(harness, 1);
    harness.exited(harness.worker(1, 0), 1);
    EXPECT_TRUE(harness.status().slots.at(0).next_attempt);
    const std::size_t before = harness.all<Spawn>().size();
    harness.ask(Scale{1});
    EXPECT_EQ(harness.all<Spawn>().size(), before + 1);
    EXPECT_EQ(harness.status().slots.at(0).crashes_in_a_row, 0);
}

TEST(Crash, IsAlsoAReadyTimeout) {
    Policy policy;
    policy.workers = 1;
    CoreHarness harness(policy);
    harness.serve(harness.worker(1, 0));
    harness.exited(harness.worker(1, 0), 1);
    const WorkerId slow = harness.worker(1, 0);
    harness.spawned(slow);
    harness.hello(slow);
    harness.advance(policy.ready_timeout);
    EXPECT_EQ(harness.state(slow), WorkerState::draining);
    EXPECT_EQ(harness.all<Tell>().back().command.reason, Reason::unhealthy);
    EXPECT_EQ(harness.status().slots.at(0).crashes_in_a_row, 2);
    EXPECT_EQ(harness.worker(1, 0), slow);  // in backoff
    harness.advance(1s);
    EXPECT_NE(harness.worker(1, 0), slow);
}

TEST(Crash, IsAlsoALaunchThatHangs) {
    Policy policy;
    policy.workers = 1;
    CoreHarness harness(policy);
    harness.serve(harness.worker(1, 0));
    harness.exited(harness.worker(1, 0), 1);
    const WorkerId stuck = harness.worker(1, 0);
    harness.advance(policy.ready_timeout);
    EXPECT_FALSE(harness.state(stuck));
    EXPECT_EQ(harness.notes("spawn_failed"), std::vector<std::string>{"cannot launch: Connection timed out"});
    EXPECT_EQ(harness.all<Forget>().back().worker, stuck);
}

TEST(Crash, NamesItsCause) {
    const struct {
        ExitStatus status;
        KilledBy killed_by;
        const char* text;
    } causes[] = {
        {ExitedWith{9}, KilledBy::not_known, "exited with status 9"},
        {holdfast::KilledBy{9}, KilledBy::not_known, "was killed by signal 9 (SIGKILL)"},
        {holdfast::KilledBy{11, true}, KilledBy::not_known, "was killed by signal 11 (SIGSEGV), core dumped"},
        {holdfast::KilledBy{9}, KilledBy::out_of_memory, "was killed by the kernel: out of memory (SIGKILL)"},
        {ExitedWith{1}, KilledBy::out_of_memory,
         "exited with status 1 after the kernel had killed one of its processes: out of memory"},
    };
    for (const auto& cause : causes) {
        CoreHarness harness = serving({}, 1);
        harness.feed(Exited{harness.worker(1, 0), cause.status, {}, cause.killed_by});
        EXPECT_EQ(harness.status().slots.at(0).last_failure, std::string("worker 1.0 ") + cause.text);
        EXPECT_THAT(harness.notes("worker_crashed"), ElementsAre(HasSubstr(cause.text)));
        EXPECT_THAT(harness.notes("worker_gone"), ElementsAre(HasSubstr(cause.text)));
    }
}

TEST(Crash, GetsTheLastWordsWhenTheWorkerExits) {
    CoreHarness harness = serving({}, 1);
    const WorkerId worker = harness.worker(1, 0);
    harness.report_watchdog(worker, Watchdog::trigger);
    EXPECT_THAT(harness.status().slots.at(0).last_words, IsEmpty());
    harness.exited(worker);
    EXPECT_THAT(harness.status().slots.at(0).last_words, ElementsAre("last line"));
}

TEST(CrashLoop, BeginsWithTheThirdCrashAndIsLoggedOnce) {
    CoreHarness harness({});
    harness.serve(harness.worker(1, 0));
    for (int i = 0; i < crash_loop_after - 1; ++i) crash(harness, 3);
    EXPECT_THAT(harness.notes("crash_loop"), IsEmpty());
    harness.exited(harness.worker(1, 0), 3);
    EXPECT_THAT(harness.notes("crash_loop"),
                ElementsAre("slot 0 crashes over and over, 3 times in a row: worker 1.0 exited with status 3; its last "
                            "words: last line"));
    EXPECT_THAT(harness.status().detail, HasSubstr("slot 0 crashes over and over"));
    EXPECT_FALSE(harness.status().ready);
    EXPECT_THAT(harness.status().unready_because, HasSubstr("slot 0 crashes over and over: worker 1.0 exited"));
    EXPECT_THAT(harness.status().unready_because, HasSubstr("the next attempt is in "));
    harness.advance(2s);
    harness.exited(harness.worker(1, 0), 3);
    EXPECT_THAT(harness.notes("crash_loop"), SizeIs(1));
}

TEST(CrashLoop, EndsAfterTenSecondsReady) {
    CoreHarness harness({});
    harness.serve(harness.worker(1, 0));
    for (int i = 0; i < crash_loop_after; ++i) crash(harness, 3);
    harness.advance(backoff_reset_after - 1us);
    EXPECT_THAT(harness.notes("crash_loop_over"), IsEmpty());
    EXPECT_TRUE(harness.status().ready);  // enough workers are ready at this moment
    harness.advance(1us);
    EXPECT_THAT(harness.notes("crash_loop_over"), SizeIs(1));
    EXPECT_EQ(harness.status().detail, "generation 1: 1 of 1 ready");
    EXPECT_FALSE(harness.next_deadline());
}

TEST(CrashLoop, EndsOnAnOperatorsRequest) {
    CoreHarness harness({});
    harness.serve(harness.worker(1, 0));
    for (int i = 0; i < crash_loop_after; ++i) crash(harness, 3);
    harness.ask(Restart{});
    harness.advance(1us);
    harness.serve_all();
    EXPECT_THAT(harness.notes("crash_loop_over"), SizeIs(1));
}

TEST(CrashLoop, IsNotReportedDuringARollout) {
    Policy policy;
    policy.max_surge = {0, false};
    CoreHarness harness = serving(policy, 1);
    harness.ask(Restart{});
    harness.exit_all_leaving();
    harness.exited(harness.worker(2, 0), 3);
    for (int i = 0; i < crash_loop_after; ++i) {
        harness.exited(harness.worker(1, 0), 3);
        harness.advance(5s);
    }
    EXPECT_EQ(harness.phase(), Phase::rolling_back);
    EXPECT_GT(harness.status().slots.at(0).crashes_in_a_row, crash_loop_after);
    EXPECT_THAT(harness.notes("crash_loop"), IsEmpty());
}

TEST(History, RecordsEachExitAndEachKill) {
    CoreHarness harness = serving({}, 1);
    harness.exited(harness.worker(1, 0), 3);
    const auto records = harness.all<Record>();
    ASSERT_THAT(records, SizeIs(1));
    EXPECT_EQ(records[0].event, "worker_exited");
    EXPECT_EQ(records[0].worker, "1.0");
    EXPECT_EQ(records[0].text, "exited with status 3");
    harness.serve_all();
    harness.clear_actions();
    harness.signal(Stop{});
    harness.clear_actions();
    harness.advance(35s);
    ASSERT_THAT(harness.all<Record>(), SizeIs(1));
    EXPECT_EQ(harness.all<Record>()[0].event, "worker_killed");
    EXPECT_THAT(harness.all<Record>()[0].text, HasSubstr("it sent no drain report"));
    harness.feed(Exited{harness.worker(1, 0), holdfast::KilledBy{9}, {}});
    EXPECT_THAT(harness.all<Record>(), SizeIs(2));
}

TEST(VoluntaryStop, LaunchesTheSuccessorAtOnceAndIsNoCrash) {
    CoreHarness harness = serving({}, 1);
    const WorkerId worker = harness.status().workers.at(0).id;
    harness.advance(5s);
    harness.stopping(worker);
    EXPECT_EQ(harness.state(worker), WorkerState::draining);
    EXPECT_EQ(harness.all<Spawn>().size(), 1U);
    EXPECT_EQ(harness.stages_sent(worker), std::vector{Stage::drain});
    EXPECT_EQ(harness.status().slots.at(0).crashes_in_a_row, 0);
    harness.exited(worker);
    EXPECT_EQ(harness.all<Spawn>().size(), 1U);
    EXPECT_TRUE(harness.notes("worker_crashed").empty());
}

TEST(VoluntaryStop, RepeatedCausesNoBusyLoop) {
    Policy policy;
    policy.workers = 1;
    CoreHarness harness(policy);
    for (int i = 0; i < 1'000 && harness.worker(1, 0).value < 900; ++i) {
        const WorkerId worker = harness.worker(1, 0);
        if (harness.state(worker) == WorkerState::starting) {
            harness.serve(worker);
            harness.stopping(worker);
            harness.exited(worker);
        }
        harness.advance(10ms);
    }
    EXPECT_LE(harness.all<Spawn>().size(), 8U);  // in ten seconds
}

TEST(VoluntaryStop, IsAlsoAnUnrequestedRelease) {
    CoreHarness harness = serving({}, 1);
    const WorkerId worker = harness.status().workers.at(0).id;
    harness.advance(5s);
    Report report;
    report.releasing = true;
    harness.feed(Said{worker, report});
    EXPECT_EQ(harness.state(worker), WorkerState::draining);
    EXPECT_EQ(harness.all<Spawn>().size(), 1U);
}

}  // namespace
}  // namespace holdfast::core::testing
