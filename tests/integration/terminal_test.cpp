// A supervisor that was started in a terminal.

#include <fcntl.h>
#include <gtest/gtest.h>
#include <stdlib.h>
#include <unistd.h>

#include <csignal>

#include "harness.hpp"

namespace holdfast::test {
namespace {

class Terminal : public testing::Test {
  protected:
    Terminal() : master_fd_(::posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC)) {
        EXPECT_EQ(::grantpt(master_fd_), 0);
        EXPECT_EQ(::unlockpt(master_fd_), 0);
        const int terminal_fd = ::open(::ptsname(master_fd_), O_RDWR | O_NOCTTY | O_CLOEXEC);
        EXPECT_GE(terminal_fd, 0);
        options_.options = {"--listen", "127.0.0.1:0", "--settle", "100ms"};
        options_.command = hello_http();
        options_.terminal_fd = terminal_fd;
    }
    ~Terminal() override {
        ::close(options_.terminal_fd);
        hang_up();
    }

    void hang_up() {
        if (master_fd_ >= 0) ::close(master_fd_);
        master_fd_ = -1;
    }

    int master_fd_;
    RunOptions options_;
};

TEST_F(Terminal, ThatHangsUpStopsTheService) {
    SupervisorProcess run(options_);
    run.wait_until_serving();
    BackgroundLoad slow(slow_load(run.address(), 2, 1000));
    slow.wait_for_sent(2);
    hang_up();
    run.wait_for("stop_started");
    expect_flawless(slow.wait_for_end());
    EXPECT_EQ(run.wait_for_exit(), ExitStatus{ExitedWith{0}});
}

TEST_F(Terminal, DoesNotChangeASighupThatAnotherProcessSends) {
    SupervisorProcess run(options_);
    run.wait_until_serving();
    run.signal(SIGHUP);
    run.wait_for("rollout_done");
    run.wait_for("worker_settled", of_worker("2.0"));
    EXPECT_EQ(run.stop(), ExitStatus{ExitedWith{0}});
}

TEST_F(Terminal, ThatHangsUpIsIgnoredIfSighupWasIgnoredAtStart) {
    options_.ignored_signals = {SIGHUP};
    SupervisorProcess run(options_);
    run.wait_until_serving();
    hang_up();
    expect_flawless(BackgroundLoad(slow_load(run.address(), 4, 500)).wait_for_end());
    EXPECT_EQ(run.log().count("stop_started"), 0U);
    EXPECT_EQ(run.stop(), ExitStatus{ExitedWith{0}});
}

TEST_F(Terminal, InterruptStopsTheRunOnce) {
    SupervisorProcess run(options_);
    run.wait_until_serving();
    ASSERT_EQ(::write(master_fd_, "\x03", 1), 1);  // Ctrl-C: SIGINT to the whole foreground group
    EXPECT_EQ(run.wait_for_exit(), ExitStatus{ExitedWith{0}});
    EXPECT_EQ(run.log().count("stop_skipped"), 0U);
}

}  // namespace
}  // namespace holdfast::test
