// Workers that crash, generations that fail, commands that cannot be executed.

#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <csignal>

#include "harness.hpp"

namespace holdfast::test {
namespace {

using namespace std::chrono_literals;
using testing::HasSubstr;

RunOptions two_workers(std::vector<std::string> command) {
    RunOptions options;
    options.options = {"--listen", "127.0.0.1:0", "--workers", "2", "--settle", "100ms"};
    options.command = std::move(command);
    return options;
}

std::vector<std::string> hello_except_in_generation_two(const std::string& script) {
    return shell_worker("if [ $HOLDFAST_GENERATION = 2 ]; then " + script + "; fi; exec " + hello_http().front());
}

TEST(Crash, OfAWorkerIsReplacedAtOnce) {
    SupervisorProcess run(two_workers(hello_http()));
    run.wait_until_serving();
    const LogEntry first = run.wait_for("worker_spawned", of_worker("1.0"));
    ::kill(first.pid, SIGKILL);
    const LogEntry crashed = run.wait_for("worker_crashed", of_worker("1.0"));
    EXPECT_THAT(crashed.text, HasSubstr("SIGKILL"));
    const LogEntry next = run.wait_for("worker_ready", of_worker("1.0"), crashed.index);
    EXPECT_NE(next.pid, first.pid);
    EXPECT_EQ(run.log().count("backoff"), 0U);
    expect_flawless(BackgroundLoad(slow_load(run.address(), 10, 0)).wait_for_end());
    EXPECT_EQ(run.stop(), ExitStatus{ExitedWith{0}});
}

TEST(Crash, WithStatusZeroIsACrashToo) {
    const TemporaryDirectory directory;
    const std::string fifo = directory / "fifo";
    ASSERT_EQ(::mkfifo(fifo.c_str(), 0600), 0);
    RunOptions options = two_workers(shell_worker(notify("READY=1") + "; exec cat " + fifo));
    set_option(options, "--workers", "1");
    SupervisorProcess run(options);
    run.wait_until_serving();
    ::close(::open(fifo.c_str(), O_WRONLY | O_CLOEXEC));  // end of file ends the worker
    const LogEntry crashed = run.wait_for("worker_crashed", of_worker("1.0"));
    EXPECT_THAT(crashed.text, HasSubstr("status 0"));
    run.wait_for("worker_ready", of_worker("1.0"), crashed.index);
    EXPECT_EQ(run.stop(), ExitStatus{ExitedWith{0}});
}

TEST(Crash, LoopsAreRestartedWithGrowingDelays) {
    const TemporaryDirectory directory;
    // The first worker becomes ready; every later one exits at once.
    const std::string flag = directory / "was-ready";
    RunOptions options = two_workers(
        shell_worker("[ -e " + flag + " ] && exit 7; touch " + flag + "; " + notify("READY=1") + "; exec sleep 1000"));
    set_option(options, "--workers", "1");
    set_option(options, "--backoff", "200ms..800ms");
    SupervisorProcess run(options);
    run.wait_until_serving();
    ::kill(run.wait_for("worker_spawned").pid, SIGKILL);
    LogEntry crashed = run.wait_for("worker_crashed");
    for (const std::int64_t least_pause_usec : {0, 200'000, 400'000, 600'000}) {
        const LogEntry launched = run.wait_for("worker_launching", any_entry(), crashed.index);
        EXPECT_GE(launched.mono_usec - crashed.mono_usec, least_pause_usec);
        crashed = run.wait_for("worker_crashed", any_entry(), launched.index);
        EXPECT_THAT(crashed.text, HasSubstr("status 7"));
    }
    EXPECT_EQ(run.stop(), ExitStatus{ExitedWith{0}});
}

TEST(FailedRestart, OfAGenerationThatCrashesLeavesTheOldOneServing) {
    SupervisorProcess run(two_workers(hello_except_in_generation_two("echo the reason >&2; exit 4")));
    run.wait_until_serving();
    BackgroundLoad load(fresh_load(run.address()));
    load.wait_for_more(20);
    const CommandResult result = run.command("restart");
    EXPECT_EQ(result.status, ExitStatus{ExitedWith{1}});
    EXPECT_THAT(result.output, HasSubstr("the reason"));
    EXPECT_THAT(result.output, HasSubstr("status 4"));
    load.wait_for_more(20);
    const LoadReport report = load.stop();
    expect_flawless(report);
    EXPECT_THAT(report.by_generation, testing::ElementsAre(testing::Key(1U)));
    EXPECT_EQ(run.log().count("worker_told", of_generation(1)), 0U);
    EXPECT_TRUE(run.command("restart").succeeded());  // generation 3 is sound
    EXPECT_EQ(run.stop(), ExitStatus{ExitedWith{0}});
}

TEST(FailedRestart, OfAGenerationThatNeverGetsReadyIsAnsweredInTime) {
    RunOptions options = two_workers(hello_except_in_generation_two("exec sleep 1000"));
    set_option(options, "--ready-timeout", "2s");
    SupervisorProcess run(options);
    run.wait_until_serving();
    BackgroundLoad load(fresh_load(run.address()));
    load.wait_for_more(20);
    const CommandResult result = run.command("restart");
    EXPECT_EQ(result.status, ExitStatus{ExitedWith{1}}) << result.output;
    expect_flawless(load.stop());
    EXPECT_EQ(run.stop(), ExitStatus{ExitedWith{0}});
}

TEST(FailedRestart, OfAStoppedOldWorkerEndsWithTheNewGenerationServing) {
    RunOptions options = two_workers(hello_http());
    set_option(options, "--grace-period", "500ms");
    set_option(options, "--cancel-period", "200ms");
    SupervisorProcess run(options);
    run.wait_until_serving();
    ::kill(run.wait_for("worker_spawned", of_worker("1.1")).pid, SIGSTOP);
    EXPECT_TRUE(run.command("restart").succeeded());
    run.wait_for("worker_killed", of_worker("1.1"));
    expect_flawless(BackgroundLoad(slow_load(run.address(), 4, 0)).wait_for_end());
    EXPECT_EQ(run.stop(), ExitStatus{ExitedWith{0}});
}

TEST(FirstGeneration, ThatCannotBeExecutedEndsTheRunAtOnceWithAClearError) {
    SupervisorProcess run(two_workers({"./no-such-server"}));
    EXPECT_EQ(run.wait_for_exit(), ExitStatus{ExitedWith{1}});
    EXPECT_THAT(run.wait_for("spawn_failed").text,
                HasSubstr("cannot execute ./no-such-server: No such file or directory"));
}

TEST(FirstGeneration, ThatCannotEnterItsDirectoryNamesTheStage) {
    RunOptions options = two_workers(hello_http());
    set_option(options, "--chdir", "/no/such/directory");
    SupervisorProcess run(options);
    EXPECT_EQ(run.wait_for_exit(), ExitStatus{ExitedWith{1}});
    const std::string log = run.log().text();
    EXPECT_THAT(log, HasSubstr("/no/such/directory"));
    EXPECT_THAT(log, HasSubstr("No such file or directory"));
}

TEST(FirstGeneration, ThatNeverGetsReadyEndsTheRunWithStatusOne) {
    RunOptions options = two_workers(shell_worker("exec sleep 1000"));
    set_option(options, "--ready-when", "notify");
    set_option(options, "--ready-timeout", "1s");
    SupervisorProcess run(options);
    EXPECT_EQ(run.wait_for_exit(), ExitStatus{ExitedWith{1}});
}

TEST(FirstGeneration, ThatExitsIsRetriedUntilTheReadyTimeout) {
    const TemporaryDirectory directory;
    const std::string count = directory / "count";
    RunOptions options = two_workers(shell_worker("echo x >>" + count + "; [ $(wc -l <" + count +
                                                  ") -lt 4 ] && exit 1; exec " + hello_http().front()));
    set_option(options, "--workers", "1");
    set_option(options, "--backoff", "50ms..100ms");
    SupervisorProcess run(options);
    run.wait_until_serving();
    EXPECT_EQ(run.log().await_count(3U, "worker_crashed"), 3U);
    EXPECT_EQ(run.stop(), ExitStatus{ExitedWith{0}});
}

}  // namespace
}  // namespace holdfast::test
