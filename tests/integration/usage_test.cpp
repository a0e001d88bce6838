// Wrong usage starts nothing, and signals without a meaning change nothing.

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>

#include <csignal>

#include "harness.hpp"
#include "programs.hpp"

namespace holdfast::test {
namespace {

using testing::HasSubstr;

struct Mistake {
    std::vector<std::string> options;
    std::string wrong;    // the part that the message names
    std::string allowed;  // what the message suggests
};

class WrongUsage : public testing::TestWithParam<Mistake> {};

TEST_P(WrongUsage, IsExplainedAndStartsNothing) {
    const TemporaryDirectory directory;
    const std::string runtime = directory / "run", state = directory / "state", started = directory / "started";
    std::vector<std::string> arguments{"run", "--name", "web", "--runtime-dir", runtime, "--state-dir", state};
    arguments.insert(arguments.end(), GetParam().options.begin(), GetParam().options.end());
    arguments.insert(arguments.end(), {"--", "/usr/bin/touch", started});
    const CommandResult result = run_command({program("holdfast"), arguments, {}});
    EXPECT_EQ(result.status, ExitStatus{ExitedWith{2}});
    EXPECT_THAT(result.output, HasSubstr(GetParam().wrong));
    EXPECT_THAT(result.output, HasSubstr(GetParam().allowed));
    struct stat file {};
    EXPECT_NE(::stat(runtime.c_str(), &file), 0);
    EXPECT_NE(::stat(state.c_str(), &file), 0);
    EXPECT_NE(::stat(started.c_str(), &file), 0);
}

INSTANTIATE_TEST_SUITE_P(OfTheProgram, WrongUsage,
                         testing::Values(Mistake{{"--wokers", "2"}, "--wokers", "--workers"},
                                         Mistake{{"--grace-period", "5"}, "--grace-period", "5s"},
                                         Mistake{{"--grace-period", "infinite"}, "infinite", "--grace-period"},
                                         Mistake{{"--listen", "127.0.0.1:99999"}, "99999", "65535"},
                                         Mistake{{"--listen", "127.0.0.1:0?baklog=5"}, "baklog", "backlog"},
                                         Mistake{{"--listen", "127.0.0.1:8080", "--ready-when", "tcp:127.0.0.1:8080"},
                                                 "127.0.0.1:8080",
                                                 "any worker, or none"}));

TEST(Signal, WithoutAMeaningChangesNothing) {
    RunOptions options;
    options.options = {"--listen", "127.0.0.1:0"};
    options.command = hello_http();
    SupervisorProcess run(options);
    run.wait_until_serving();
    run.signal(SIGUSR1);
    const LogEntry first = run.wait_for("signal_ignored");
    EXPECT_THAT(first.text, HasSubstr("SIGUSR1"));
    run.signal(SIGUSR2);
    run.wait_for("signal_ignored", any_entry(), first.index + 1);
    expect_flawless(BackgroundLoad(slow_load(run.address(), 3, 0)).wait_for_end());
    EXPECT_EQ(run.stop(), ExitStatus{ExitedWith{0}});
}

TEST(Signal, SigttinAndSigttouScaleByOne) {
    RunOptions options;
    options.options = {"--listen", "127.0.0.1:0", "--settle", "100ms"};
    options.command = hello_http();
    SupervisorProcess run(options);
    run.wait_until_serving();
    run.signal(SIGTTIN);
    const LogEntry more = run.wait_for("scale_done");
    EXPECT_EQ(run.log().await_count(2U, "worker_ready"), 2U);
    run.signal(SIGTTOU);
    run.wait_for("scale_done", any_entry(), more.index + 1);
    EXPECT_EQ(run.log().await_count(1U, "worker_gone"), 1U);
    EXPECT_EQ(run.stop(), ExitStatus{ExitedWith{0}});
}

}  // namespace
}  // namespace holdfast::test
