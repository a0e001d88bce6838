// The stages of a stop: requests in flight are finished, new clients are refused at once, and every stage ends at its
// deadline.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <csignal>

#include "harness.hpp"

namespace holdfast::test {
namespace {

using namespace std::chrono_literals;

TEST(Stop, FinishesRequestsInFlightAndRefusesNewClientsAtOnce) {
    SupervisorProcess run(two_hello_workers());
    run.wait_until_serving();
    BackgroundLoad slow(slow_load(run.address(), 6, 2000));
    slow.wait_for_sent(6);
    run.signal(SIGTERM);
    run.wait_for("doors_closed");
    LoadOptions late = slow_load(run.address(), 1, 0);
    late.requests = 5;
    EXPECT_EQ(BackgroundLoad(late).wait_for_end().count(Failure::refused), 5U);
    expect_flawless(slow.wait_for_end());
    EXPECT_EQ(run.wait_for_exit(), ExitStatus{ExitedWith{0}});
    EXPECT_EQ(run.log().count("worker_killed"), 0U);
}

TEST(Stop, RefusesNewClientsOnAUnixSocketToo) {
    const TemporaryDirectory directory;
    RunOptions options = two_hello_workers();
    set_option(options, "--listen", "unix:" + directory / "web.sock");
    SupervisorProcess run(options);
    run.wait_until_serving();
    BackgroundLoad slow(slow_load(run.address(), 2, 1500));
    slow.wait_for_sent(2);
    run.signal(SIGTERM);
    run.wait_for("doors_closed");
    const LoadReport late = BackgroundLoad(slow_load(run.address(), 1, 0)).wait_for_end();
    EXPECT_EQ(late.count(Failure::refused) + late.count(Failure::no_such_path), 1U);
    expect_flawless(slow.wait_for_end());
    EXPECT_EQ(run.wait_for_exit(), ExitStatus{ExitedWith{0}});
}

TEST(Stop, TreatsTwoSigtermsWithinASecondAsOne) {
    SupervisorProcess run(two_hello_workers());
    run.wait_until_serving();
    BackgroundLoad slow(slow_load(run.address(), 2, 1500));
    slow.wait_for_sent(2);
    run.signal(SIGTERM);
    run.wait_for("stop_started");
    run.signal(SIGTERM);
    run.wait_for("stop_ignored");
    expect_flawless(slow.wait_for_end());
    EXPECT_EQ(run.wait_for_exit(), ExitStatus{ExitedWith{0}});
    EXPECT_EQ(run.log().count("stop_skipped"), 0U);
}

TEST(Stop, SkipsToTheNextStageOnASecondSigtermAfterASecond) {
    SupervisorProcess run(two_hello_workers());
    run.wait_until_serving();
    BackgroundLoad slow(slow_load(run.address(), 2, 20000));
    slow.wait_for_sent(2);
    run.signal(SIGTERM);
    const LogEntry started = run.wait_for("stop_started");
    run.wait_for("worker_told");
    wait_until_monotonic(started.mono_usec + 1'050'000);
    run.signal(SIGTERM);
    run.wait_for("stop_skipped");
    run.wait_for("worker_told", with_text("told to cancel"), started.index);
    EXPECT_EQ(run.wait_for_exit(), ExitStatus{ExitedWith{3}});
    EXPECT_EQ(slow.wait_for_end().succeeded, 0U);
}

TEST(Stop, BeforeTheFirstWorkerIsReadyEndsWithStatusZero) {
    RunOptions options = two_hello_workers();
    set_option(options, "--ready-when", "notify");
    options.command = shell_worker("exec sleep 1000");
    SupervisorProcess run(options);
    run.wait_for("worker_spawned", of_worker("1.1"));
    EXPECT_EQ(run.stop(), ExitStatus{ExitedWith{0}});
}

TEST(Stop, OverTheApiReturnsTheExitStatusOfTheRun) {
    SupervisorProcess run(two_hello_workers());
    run.wait_until_serving();
    const CommandResult result = run.command("stop");
    EXPECT_TRUE(result.succeeded()) << result.output;
    EXPECT_EQ(run.wait_for_exit(), ExitStatus{ExitedWith{0}});
}

TEST(Stop, KillsAWorkerThatIsSuspended) {
    RunOptions options = two_hello_workers();
    set_option(options, "--grace-period", "500ms");
    set_option(options, "--cancel-period", "300ms");
    SupervisorProcess run(options);
    const LogEntry spawned = run.wait_for("worker_spawned", of_worker("1.0"));
    run.wait_until_serving();
    ::kill(spawned.pid, SIGSTOP);
    EXPECT_EQ(run.stop(), ExitStatus{ExitedWith{3}});
    run.wait_for("worker_killed", of_worker("1.0"));
    EXPECT_EQ(run.log().await_count(1U, "worker_killed"), 1U);
}

}  // namespace
}  // namespace holdfast::test
