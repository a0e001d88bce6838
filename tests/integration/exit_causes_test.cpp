// The causes of a worker's end are distinguished, and common mistakes are named.

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/types.h>

#include <csignal>

#include "operations.hpp"

namespace holdfast::test {
namespace {

using testing::HasSubstr;

TEST(ExitCause, IsTheExitStatusTheSignalOrTheWatchdog) {
    RunOptions options =
        short_run(shell_worker("case $HOLDFAST_WORKER in *.0) exit 41;; esac; exec " + hello_http().front()));
    set_option(options, "--workers", "3");
    set_option(options, "--grace-period", "300ms");
    options.options.insert(options.options.end(), {"--watchdog", "1s"});
    SupervisorProcess run(options);
    EXPECT_THAT(run.wait_for("worker_crashed", of_worker("1.0")).text, HasSubstr("exited with status 41"));
    ::kill(run.wait_for("worker_ready", of_worker("1.1")).pid, SIGABRT);
    EXPECT_THAT(run.wait_for("worker_crashed", of_worker("1.1")).text, HasSubstr("SIGABRT"));
    ::kill(run.wait_for("worker_ready", of_worker("1.2")).pid, SIGSTOP);
    EXPECT_THAT(run.wait_for("worker_crashed", of_worker("1.2")).text, HasSubstr("missed its watchdog"));
    run.wait_for("worker_gone", of_worker("1.2"));
    // The history distinguishes them as well.
    const std::string history = run.command("history", {"--json"}).output;
    EXPECT_THAT(history, HasSubstr("exited with status 41"));
    EXPECT_THAT(history, HasSubstr("SIGABRT"));
    EXPECT_THAT(history, HasSubstr("watchdog"));
    run.stop();
}

// A real program that daemonizes.
TEST(ExitCause, IsNamedForAProgramThatGoesIntoTheBackground) {
    RunOptions options = short_run({"/usr/bin/setsid", "--fork", "sleep", "1000"});
    options.options.insert(options.options.end(), {"--ready-timeout", "1s"});
    SupervisorProcess run(options);
    EXPECT_THAT(run.wait_for("worker_main_exited").text, HasSubstr("use its foreground option"));
    EXPECT_EQ(run.wait_for_exit(), ExitStatus{ExitedWith{1}});
}

TEST(ExitCause, IsNamedForAProgramThatBindsAnAddressThatItInherited) {
    const std::string port = free_port();
    RunOptions options = short_run({"/usr/bin/python3", "-m", "http.server", "--bind", "127.0.0.1", port});
    set_option(options, "--listen", "127.0.0.1:" + port);
    options.options.insert(options.options.end(), {"--ready-timeout", "2s"});
    SupervisorProcess run(options);
    const LogEntry crashed = run.wait_for("worker_crashed");
    EXPECT_THAT(crashed.text, HasSubstr("Address already in use"));
    EXPECT_THAT(crashed.text, HasSubstr("127.0.0.1:" + port + " is fd 3"));
    EXPECT_EQ(run.wait_for_exit(), ExitStatus{ExitedWith{1}});
}

}  // namespace
}  // namespace holdfast::test
