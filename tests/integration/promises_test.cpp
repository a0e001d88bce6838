// The promises of the README, each with a test of its number. The other files test the details.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <csignal>

#include "harness.hpp"
#include "proc.hpp"

namespace holdfast::test {
namespace {

using namespace std::chrono_literals;
using testing::HasSubstr;

RunOptions two_workers_with_short_deadlines(std::vector<std::string> command) {
    RunOptions options;
    options.options = {"--listen",       "127.0.0.1:0", "--workers",       "2",    "--settle", "100ms",
                       "--grace-period", "500ms",       "--cancel-period", "300ms"};
    options.command = std::move(command);
    return options;
}

TEST(Promise1, NoClientIsRefusedByARestart) {
    SupervisorProcess run(two_workers_with_short_deadlines(hello_http()));
    run.wait_until_serving();
    BackgroundLoad fresh(fresh_load(run.address()));
    restart_under_load(run, fresh, 3);
    expect_flawless(fresh.stop());
    EXPECT_EQ(run.stop(), ExitStatus{ExitedWith{0}});
    EXPECT_EQ(BackgroundLoad(slow_load(run.address(), 1, 0)).wait_for_end().count(Failure::refused), 1U);
}

TEST(Promise2, NothingIsCutOffBeforeItsTime) {
    SupervisorProcess run(two_workers_with_short_deadlines(term_ignoring_tree()));
    run.wait_until_serving();
    EXPECT_EQ(run.stop(), ExitStatus{ExitedWith{3}});
    for (const char* worker : {"1.0", "1.1"}) {
        const LogEntry told = run.wait_for("worker_signalled", of_worker(worker));
        const LogEntry killed = run.wait_for("worker_killed", of_worker(worker));
        EXPECT_GE(killed.mono_usec - told.mono_usec, Duration(500ms + 300ms).count());
        run.wait_for("worker_held", of_worker(worker));
    }
}

TEST(Promise3, AReleaseThatDoesNotStartCostsNothing) {
    const std::string broken =
        "if [ $HOLDFAST_GENERATION = 2 ]; then echo no such setting >&2; exit 78; fi; exec " + hello_http().front();
    SupervisorProcess run(two_workers_with_short_deadlines(shell_worker(broken)));
    run.wait_until_serving();
    BackgroundLoad fresh(fresh_load(run.address()));
    fresh.wait_for_more(20);
    const CommandResult result = run.command("restart");
    EXPECT_FALSE(result.succeeded());
    EXPECT_THAT(result.output, HasSubstr("no such setting"));
    fresh.wait_for_more(20);
    const LoadReport report = fresh.stop();
    expect_flawless(report);
    EXPECT_EQ(report.by_generation.count(2), 0U);
    EXPECT_EQ(run.log().count("worker_gone", of_generation(1)), 0U);
}

TEST(Promise4, CommandsTellTheTruth) {
    SupervisorProcess run(two_workers_with_short_deadlines(term_ignoring_tree()));
    run.wait_until_serving();
    // Success is true: when the command returns, both workers are new and the old ones have exited.
    EXPECT_TRUE(run.command("restart").succeeded());
    run.wait_for("rollout_done");
    EXPECT_EQ(run.log().await_count(2U, "worker_gone", of_generation(1)), 2U);
    EXPECT_EQ(run.log().await_count(2U, "worker_ready", of_generation(2)), 2U);
    // A worker was killed, and the command says so: it returns the exit status of the run.
    EXPECT_EQ(run.command("stop").status, ExitStatus{ExitedWith{3}});
    EXPECT_EQ(run.wait_for_exit(), ExitStatus{ExitedWith{3}});
}

TEST(Promise5, NothingIsLeftBehind) {
    SupervisorProcess run(two_workers_with_short_deadlines(term_ignoring_tree()));
    run.wait_until_serving();
    const auto family = descendants_of(run.pid());
    EXPECT_GE(family.size(), 6U);
    EXPECT_EQ(run.stop(), ExitStatus{ExitedWith{3}});
    for (const pid_t process : family) EXPECT_EQ(state_of(process), '-') << process;
}

}  // namespace
}  // namespace holdfast::test
