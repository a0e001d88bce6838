// The stages of a stop: SIGKILL comes only after the last deadline, and reaches every process of a worker.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <csignal>

#include "harness.hpp"
#include "proc.hpp"
#include "programs.hpp"

namespace holdfast::test {
namespace {

using namespace std::chrono_literals;

constexpr std::int64_t lame_duck_usec = 700'000, grace_usec = 600'000, cancel_usec = 500'000;

RunOptions with_short_stages(std::vector<std::string> command) {
    RunOptions options;
    options.options = {"--listen",       "127.0.0.1:0", "--lame-duck",     "700ms",
                       "--grace-period", "600ms",       "--cancel-period", "500ms"};
    options.command = std::move(command);
    return options;
}

TEST(Escalation, KillsAProcessTreeThatIgnoresSignalsOnlyAfterTheLastDeadline) {
    SupervisorProcess run(with_short_stages(term_ignoring_tree()));
    run.wait_until_serving();
    EXPECT_GE(descendants_of(run.pid()).size(), 3U);
    EXPECT_EQ(run.stop(), ExitStatus{ExitedWith{3}});
    const LogEntry stopped = run.wait_for("stop_started");
    const LogEntry drained = run.wait_for("worker_signalled", of_worker("1.0"));
    const LogEntry killed = run.wait_for("worker_killed", of_worker("1.0"));
    EXPECT_GE(drained.mono_usec - stopped.mono_usec, lame_duck_usec);
    EXPECT_GE(killed.mono_usec - drained.mono_usec, grace_usec + cancel_usec);
    EXPECT_GE(killed.mono_usec - stopped.mono_usec, lame_duck_usec + grace_usec + cancel_usec);
    EXPECT_EQ(run.log().await_count(1U, "worker_killed"), 1U);
}

// The same for a worker that sent HELLO: it is sent each stage, ignores all of them, and has three descendants.
TEST(Escalation, SendsEachStageToAProtocolWorkerBeforeItIsKilledAndNamesWhatItHeld) {
    SupervisorProcess run(with_short_stages(
        {program("stubborn"), "--hello", "--ready-after", "0", "--grandchildren", "--hold", "request:GET /endless"}));
    run.wait_until_serving();
    EXPECT_GE(descendants_of(run.pid()).size(), 4U);
    EXPECT_EQ(run.stop(), ExitStatus{ExitedWith{3}});
    const LogEntry lame_duck = run.wait_for("worker_told", with_text("lame"));
    const LogEntry drain = run.wait_for("worker_told", with_text("told to drain"), lame_duck.index);
    const LogEntry cancel = run.wait_for("worker_told", with_text("told to cancel"), drain.index);
    const LogEntry killed = run.wait_for("worker_killed", any_entry(), cancel.index);
    EXPECT_GE(drain.mono_usec - lame_duck.mono_usec, lame_duck_usec);
    EXPECT_GE(cancel.mono_usec - drain.mono_usec, grace_usec);
    EXPECT_GE(killed.mono_usec - cancel.mono_usec, cancel_usec);
    EXPECT_THAT(run.wait_for("worker_held", any_entry(), killed.index).text, testing::HasSubstr("GET /endless"));
}

TEST(Escalation, HasNoLameDuckStageInARestart) {
    RunOptions options = with_short_stages(term_ignoring_tree());
    set_option(options, "--lame-duck", "20s");
    set_option(options, "--settle", "100ms");
    SupervisorProcess run(options);
    run.wait_until_serving();
    const CommandResult result = run.command("restart");
    EXPECT_TRUE(result.succeeded()) << result.output;
    const LogEntry drained = run.wait_for("worker_signalled", of_worker("1.0"));
    const LogEntry killed = run.wait_for("worker_killed", of_worker("1.0"));
    EXPECT_GE(killed.mono_usec - drained.mono_usec, grace_usec + cancel_usec);
    EXPECT_LT(killed.mono_usec - drained.mono_usec, 20'000'000);
}

TEST(Escalation, SkipsTheLameDuckStageOnSigquit) {
    RunOptions options = with_short_stages(hello_http());
    set_option(options, "--lame-duck", "25s");
    SupervisorProcess run(options);
    run.wait_until_serving();
    run.signal(SIGQUIT);
    EXPECT_EQ(run.wait_for_exit(20s), ExitStatus{ExitedWith{0}});
}

TEST(Escalation, NamesWhatAWorkerStillHeldWhenItWasKilled) {
    RunOptions options = with_short_stages(hello_http());
    SupervisorProcess run(options);
    run.wait_until_serving();
    BackgroundLoad slow(slow_load(run.address(), 1, 20'000));
    slow.wait_for_sent(1);
    EXPECT_EQ(run.stop(), ExitStatus{ExitedWith{3}});
    const LogEntry held = run.wait_for("worker_held");
    EXPECT_THAT(held.text, testing::HasSubstr("request"));
    EXPECT_EQ(slow.wait_for_end().succeeded, 0U);
}

TEST(Wrapper, ThatExitsFirstLeavesTheStageSignalToItsGroup) {
    // SIGTERM ends only the shell; the server that it started gets the signal of the stage after the shell has exited.
    RunOptions options;
    options.options = {"--listen", "127.0.0.1:0", "--ready-when", "alive:500ms"};
    options.command = shell_worker("/usr/bin/python3 " + std::string(server_scripts) + "/socket_server.py & wait");
    SupervisorProcess run(options);
    run.wait_until_serving();
    BackgroundLoad load(fresh_load(run.address()));
    load.wait_for_more(20);
    expect_flawless(load.stop());
    EXPECT_EQ(run.stop(), ExitStatus{ExitedWith{0}});
    const LogEntry main_exited = run.wait_for("worker_main_exited");
    run.wait_for("worker_signalled", with_text("group"), main_exited.index);
    EXPECT_EQ(run.log().count("worker_killed"), 0U);
}

TEST(Wrapper, OfAnSdkWorkerLosesNothingInARestart) {
    RunOptions options;
    options.options = {"--listen", "127.0.0.1:0", "--settle", "100ms"};
    options.command = shell_worker(hello_http().front() + "; exit $?");
    SupervisorProcess run(options);
    run.wait_until_serving();
    BackgroundLoad load(fresh_load(run.address()));
    restart_under_load(run, load, 2);
    expect_flawless(load.stop());
    EXPECT_EQ(run.stop(), ExitStatus{ExitedWith{0}});
}

TEST(Wrapper, DescendantsOutsideTheGroupGoThroughTheSameStagesAndAreNamed) {
    RunOptions options =
        with_short_stages(shell_worker("setsid sh -c '" + notify("READY=1") + "; exec sleep 1000' & exec sleep 1000"));
    set_option(options, "--lame-duck", "0s");
    SupervisorProcess run(options);
    run.wait_until_serving();
    EXPECT_EQ(run.stop(), ExitStatus{ExitedWith{0}});
    EXPECT_THAT(run.wait_for("strays_found").text, testing::ContainsRegex("(sh|sleep) .pid [0-9]+"));
}

}  // namespace
}  // namespace holdfast::test
