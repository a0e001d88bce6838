#include "os/process.hpp"

#include <gtest/gtest.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>

#include "launch_support.hpp"
#include "os/process_table.hpp"
#include "os/reaper.hpp"

namespace holdfast::os {
namespace {

TEST(Process, ReceivesSignalsThroughItsPidfd) {
    Started worker = start(shell("trap 'exit 7' TERM; echo in; while :; do sleep 60 & wait; done"));
    EXPECT_EQ(read_line(worker.output), "in");
    EXPECT_FALSE(has_ended(worker.leader.process()));
    EXPECT_TRUE(send_signal(worker.leader.process(), SIGTERM));
    wait_for_end(worker.leader.process());
    EXPECT_TRUE(has_ended(worker.leader.process()));
    EXPECT_TRUE(kill_group_now(worker.leader));
    EXPECT_EQ(wait_and_reap(worker.leader), ExitStatus(ExitedWith{7}));
    reap_everything();
}

TEST(Process, ReceivesNoSignalAfterItWasReaped) {
    Started worker = start(shell("exit 0"));
    const UniqueFd copy{::dup(worker.leader.pidfd())};
    const pid_t pid = worker.leader.pid();
    wait_and_reap(worker.leader);
    EXPECT_EQ(send_signal(worker.leader.process(), SIGTERM).error().code, ESRCH);
    EXPECT_EQ(signal_group(worker.leader, SIGTERM).error().code, ESRCH);
    EXPECT_EQ(kill_group_now(worker.leader).error().code, ESRCH);
    const Process stale{pid, UniqueFd{::dup(copy.get())}};
    const auto sent = send_signal(stale, SIGTERM);
    EXPECT_EQ(sent.error().text, "cannot send SIGTERM to process " + std::to_string(pid) + ": No such process");
}

TEST(Process, IsOpenedOnlyWithItsStartTime) {
    const auto self = process_status(::getpid()).value();
    ASSERT_TRUE(self);
    EXPECT_TRUE(open_process(self->pid, self->start_time));
    EXPECT_EQ(open_process(self->pid, self->start_time + 1).error().code, ESRCH);
}

class MainProcess : public ::testing::Test {
  protected:
    void SetUp() override {
        ASSERT_TRUE(become_subreaper());
        LaunchPlan plan;
        plan.environment = markers_;
        worker_ = start(shell("sleep 60 & echo $!; setsid sh -c 'sleep 60 & echo $!; wait' & wait"), plan);
        child_ = std::stoi(read_line(worker_.output));
        grandchild_ = std::stoi(read_line(worker_.output));
    }
    void TearDown() override {
        EXPECT_TRUE(kill_group_now(worker_.leader));
        ::kill(grandchild_, SIGTERM);
        read_all(worker_.output);
        reap_everything();
    }
    Result<Process> claim(pid_t pid) { return claim_main_process(pid, worker_.leader, markers_, ::getuid()); }

    std::vector<std::string> markers_{"HOLDFAST_WORKER=1.0"};
    Started worker_;
    pid_t child_ = 0;
    pid_t grandchild_ = 0;
};

TEST_F(MainProcess, MayBeTheLeaderOrADescendant) {
    EXPECT_TRUE(claim(worker_.leader.pid()));
    EXPECT_EQ(claim(child_)->pid(), child_);
    EXPECT_EQ(claim(grandchild_)->pid(), grandchild_);
}

TEST_F(MainProcess, MayBeAnOrphanOfTheWorker) {
    EXPECT_TRUE(kill_now(worker_.leader.process()));
    wait_for_end(worker_.leader.process());
    EXPECT_TRUE(claim(child_));
    EXPECT_TRUE(claim(grandchild_));
}

TEST_F(MainProcess, MayNotBeAnUnrelatedProcess) {
    EXPECT_FALSE(claim(1));
    EXPECT_FALSE(claim(::getpid()));
    EXPECT_FALSE(claim(::getppid()));
    EXPECT_FALSE(claim(0));
    EXPECT_FALSE(claim(-1));
    EXPECT_FALSE(claim(0x3fffffff));
    Started other = start(shell("sleep 60 & wait"));
    EXPECT_EQ(claim(other.leader.pid()).error().code, EPERM);
    EXPECT_TRUE(kill_group_now(other.leader));
    read_all(other.output);
    wait_and_reap(other.leader);
}

TEST_F(MainProcess, MustRunAsTheWorkersUser) {
    const auto claimed = claim_main_process(child_, worker_.leader, markers_, ::getuid() + 1);
    EXPECT_EQ(claimed.error().text,
              "cannot take process " + std::to_string(child_) + " for the main process: it runs as another user");
}

TEST_F(MainProcess, MustBeAlive) {
    ::kill(child_, SIGTERM);
    const auto status = process_status(child_).value();
    Result<Process> dying = open_process(child_, status ? status->start_time : 0);
    if (dying) wait_for_end(*dying);
    EXPECT_FALSE(claim(child_));
}

}  // namespace
}  // namespace holdfast::os
