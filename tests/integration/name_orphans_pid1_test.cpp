// Service names, orphaned workers, and running as pid 1.

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/wait.h>

#include <csignal>

#include "harness.hpp"
#include "proc.hpp"

namespace holdfast::test {
namespace {

using testing::HasSubstr;

RunOptions hello(const std::string& listen) {
    RunOptions options;
    options.options = {"--listen", listen, "--workers", "2", "--settle", "100ms"};
    options.command = hello_http();
    return options;
}

TEST(Name, ThatIsTakenEndsTheRunWithStatusFourAndNamesTheHolder) {
    SupervisorProcess first(hello("127.0.0.1:0"));
    first.wait_until_serving();
    RunOptions options = hello("127.0.0.1:0");
    options.runtime_directory = first.runtime_directory();
    SupervisorProcess second(options);
    EXPECT_EQ(second.wait_for_exit(), ExitStatus{ExitedWith{4}});
    EXPECT_THAT(second.log().text(), HasSubstr(std::to_string(first.pid())));
    expect_flawless(BackgroundLoad(slow_load(first.address(), 2, 0)).wait_for_end());
    EXPECT_EQ(first.stop(), ExitStatus{ExitedWith{0}});
}

TEST(Name, IsFreeAgainWhenItsSupervisorWasKilled) {
    const TemporaryDirectory directory;
    RunOptions options = hello("127.0.0.1:0");
    options.runtime_directory = directory / "run";
    {
        SupervisorProcess first(options);
        first.wait_until_serving();
        first.kill_supervisor();
    }
    SupervisorProcess second(options);
    second.wait_until_serving();
    EXPECT_EQ(second.stop(), ExitStatus{ExitedWith{0}});
}

TEST(Orphans, OfTheSdkFinishTheirRequestsAndExitByThemselves) {
    SupervisorProcess run(hello("127.0.0.1:0"));
    run.wait_until_serving();
    const pid_t first = run.wait_for("worker_spawned", of_worker("1.0")).pid;
    const pid_t second = run.wait_for("worker_spawned", of_worker("1.1")).pid;
    BackgroundLoad slow(slow_load(run.address(), 4, 1000));
    slow.wait_for_sent(4);
    run.kill_supervisor();
    expect_flawless(slow.wait_for_end());
    for (const pid_t pid : {first, second}) {
        int status = 0;
        EXPECT_EQ(::waitpid(pid, &status, 0), pid);  // this process is their parent now
        EXPECT_TRUE(WIFEXITED(status) && WEXITSTATUS(status) == 0) << status;
    }
}

class OrphanedWorkers : public testing::Test {
  protected:
    // Workers that do not speak the protocol do not notice that their supervisor has ended.
    void leave_orphans(std::vector<std::string> command = {"/bin/sleep", "1000"}) {
        options_ = hello("127.0.0.1:0");
        set_option(options_, "--ready-when", "alive:100ms");
        options_.command = std::move(command);
        options_.runtime_directory = directory_ / "run";
        former_ = std::make_unique<SupervisorProcess>(options_);
        former_->wait_until_serving();
        set_option(options_, "--listen", former_->address());
        pid_ = former_->wait_for("worker_spawned", of_worker("1.0")).pid;
        former_->kill_supervisor();
        options_.command = hello_http();
    }

    TemporaryDirectory directory_;
    RunOptions options_;
    std::unique_ptr<SupervisorProcess> former_;
    pid_t pid_ = 0;
};

TEST_F(OrphanedWorkers, AreNamedByTheNextRun) {
    leave_orphans();
    SupervisorProcess next(options_);
    EXPECT_EQ(next.wait_for_exit(), ExitStatus{ExitedWith{4}});
    EXPECT_THAT(next.log().text(), HasSubstr(std::to_string(pid_)));
    EXPECT_THAT(next.log().text(), HasSubstr("--replace-orphans"));
    EXPECT_EQ(state_of(pid_), 'S');
    kill_leaked_processes();
}

TEST_F(OrphanedWorkers, AreReplacedBehindAWrapperToo) {
    leave_orphans(shell_worker("sleep 1000; true"));
    const auto family = descendants_of(pid_);
    ASSERT_EQ(family.size(), 1U);
    options_.options.push_back("--replace-orphans");
    SupervisorProcess next(options_);
    next.wait_until_serving();
    EXPECT_EQ(state_of(family.front()), 'Z');
    expect_flawless(BackgroundLoad(slow_load(next.address(), 2, 0)).wait_for_end());
    EXPECT_EQ(next.stop(), ExitStatus{ExitedWith{0}});
    kill_leaked_processes();
}

TEST_F(OrphanedWorkers, AreReplacedWithTheOption) {
    leave_orphans();
    options_.options.push_back("--replace-orphans");
    SupervisorProcess next(options_);
    next.wait_for("orphans_replaced", with_text(std::to_string(pid_)));
    next.wait_until_serving();
    EXPECT_EQ(state_of(pid_), 'Z');  // ended and not reaped: this process is the subreaper
    expect_flawless(BackgroundLoad(slow_load(next.address(), 2, 0)).wait_for_end());
    EXPECT_EQ(next.stop(), ExitStatus{ExitedWith{0}});
    kill_leaked_processes();
}

// What such a /proc shows are other processes: nothing could be said about the workers.
TEST(ForeignProc, IsRefusedAtTheStart) {
    RunOptions options = hello("127.0.0.1:0");
    options.wrapper = {"/usr/bin/unshare", "--fork", "--pid"};
    SupervisorProcess run(options);
    EXPECT_EQ(run.wait_for_exit(), ExitStatus{ExitedWith{4}});
    EXPECT_THAT(run.log().text(), HasSubstr("/proc is not mounted, or shows those of another PID namespace"));
}

class Pid1 : public testing::Test {
  protected:
    void begin(std::vector<std::string> command) {
        RunOptions options = hello("127.0.0.1:0");
        options.command = std::move(command);
        options.wrapper = {"/usr/bin/unshare", "--fork", "--pid", "--mount-proc"};
        run_ = std::make_unique<SupervisorProcess>(options);
        run_->wait_until_serving();
        init_ = children_of(run_->pid()).at(0);
    }

    std::unique_ptr<SupervisorProcess> run_;
    pid_t init_ = 0;
};

TEST_F(Pid1, RestartsAndStopsLikeAnyOtherSupervisor) {
    begin(hello_http());
    BackgroundLoad load(fresh_load(run_->address()));
    restart_under_load(*run_, load, 2);
    expect_flawless(load.stop());
    ::kill(init_, SIGTERM);
    EXPECT_EQ(run_->wait_for_exit(), ExitStatus{ExitedWith{0}});
}

TEST_F(Pid1, ReapsEveryOrphanOfItsTree) {
    begin(shell_worker("for i in 1 2 3 4 5; do (setsid true &) ; done; exec " + hello_http().front()));
    EXPECT_TRUE(run_->command("restart").succeeded());
    EXPECT_TRUE(run_->command("status").succeeded());  // all earlier events have been handled
    for (const pid_t pid : children_of(init_)) EXPECT_NE(state_of(pid), 'Z') << command_of(pid);
    ::kill(init_, SIGTERM);
    EXPECT_EQ(run_->wait_for_exit(), ExitStatus{ExitedWith{0}});
}

}  // namespace
}  // namespace holdfast::test
