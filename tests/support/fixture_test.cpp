// Tests of the tools that the integration tests use.

#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <csignal>

#include "child_process.hpp"
#include "event_log.hpp"
#include "hung_mount.hpp"
#include "proc.hpp"
#include "supervisor_process.hpp"

namespace holdfast::test {
namespace {

Launch shell(const std::string& script) {
    Launch launch;
    launch.program = "/bin/sh";
    launch.arguments = {"-c", script};
    return launch;
}

TEST(ChildProcess, DistinguishesAnExitFromASignal) {
    EXPECT_EQ(ChildProcess(shell("exit 9")).wait(), ExitStatus{ExitedWith{9}});
    EXPECT_EQ(ChildProcess(shell("kill -9 $$")).wait(), ExitStatus{KilledBy{9}});
}

TEST(ChildProcess, HasTheThreeStandardDescriptorsAndNoOther) {
    const auto result = run_command(shell("echo /proc/self/fd/*; exec ls -l /proc/self/fd"));
    EXPECT_THAT(result.output, testing::HasSubstr("0 -> /dev/null"));
    EXPECT_THAT(result.output, testing::Not(testing::HasSubstr("4 -> ")));  // 3 is the descriptor of ls itself
}

TEST(ChildProcess, PassesVariablesAndLimits) {
    Launch launch = shell("echo $GREETING $(ulimit -n)");
    launch.environment = {"GREETING=hello"};
    launch.open_files = 77;
    EXPECT_EQ(run_command(launch).output, "hello 77\n");
}

TEST(LeakedProcesses, AreFoundAndKilled) {
    become_subreaper();
    EXPECT_TRUE(run_command(shell("setsid sleep 1000 & exit 0")).succeeded());
    EXPECT_EQ(describe_leaked_processes().size(), 1U);
    kill_leaked_processes();
    EXPECT_TRUE(describe_leaked_processes().empty());
}

class WrittenLog : public testing::Test {
  protected:
    WrittenLog() {
        int fds[2];
        EXPECT_EQ(::pipe2(fds, O_CLOEXEC), 0);
        log_.emplace(fds[0]);
        write_fd_ = fds[1];
    }
    ~WrittenLog() override { ::close(write_fd_); }
    void write(const std::string& text) const {
        EXPECT_EQ(::write(write_fd_, text.data(), text.size()), static_cast<ssize_t>(text.size()));
    }
    std::optional<EventLog> log_;
    int write_fd_ = -1;
};

TEST_F(WrittenLog, IsParsedIntoEntries) {
    write(R"({"mono_usec":17,"level":"info","event":"worker_told","worker":"1.0","pid":5,"text":"drain"})"
          "\nnot ours\n{\"event\":\"worker_told\",\"worker\":\"1.1\"}\n");
    const LogEntry entry = log_->wait_for("worker_told", of_worker("1.1"));
    EXPECT_EQ(entry.index, 2U);
    EXPECT_EQ(log_->find("worker_told")->mono_usec, 17);
    EXPECT_EQ(log_->find("", with_text("not"))->text, "not ours");
    EXPECT_EQ(log_->count("worker_told", of_generation(1)), 2U);
    EXPECT_FALSE(log_->find("worker_told", of_worker("1.0"), 1));
}

TEST_F(WrittenLog, IsPartOfTheErrorOfAWaitThatFails) {
    write("{\"event\":\"something_else\"}\n");
    log_->wait_for("something_else");
    try {
        log_->wait_for("worker_told", any_entry(), 0, Duration{1});
        FAIL() << "an entry that does not exist was found";
    } catch (const std::runtime_error& error) {
        EXPECT_THAT(error.what(), testing::HasSubstr("something_else"));
    }
}

TEST_F(WrittenLog, StaysInThePipeWhileReadingIsStopped) {
    log_->stop_reading();
    write("{\"event\":\"late\"}\n");
    EXPECT_THROW(log_->wait_for("late", any_entry(), 0, std::chrono::milliseconds(50)), std::runtime_error);
    log_->resume_reading();
    log_->wait_for("late");
}

TEST(HungMount, BlocksAProcessThatAccessesItUntilItIsDestroyed) {
    const TemporaryDirectory temporary;
    std::optional<HungMount> hung_mount(temporary.path());
    RunningCommand victim(shell("cd " + temporary.path() + "/inside"));
    hung_mount->wait_until_accessed();
    EXPECT_TRUE(victim.process().is_running());
    hung_mount.reset();
    EXPECT_FALSE(victim.wait().succeeded());
}

}  // namespace
}  // namespace holdfast::test
