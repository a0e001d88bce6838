// A worker can harm only itself: whatever it sends or does not read affects only the log.

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <csignal>
#include <tuple>

#include "harness.hpp"
#include "proc.hpp"

namespace holdfast::test {
namespace {

using testing::HasSubstr;

class ProtocolAbuse : public testing::Test {
  protected:
    void begin(const std::string& stubborn_options) {
        RunOptions options;
        options.options = {"--listen",       "127.0.0.1:0", "--workers",       "2",    "--settle", "100ms",
                           "--grace-period", "2s",          "--cancel-period", "500ms"};
        options.command = hello_beside_stubborn(stubborn_options);
        run_ = std::make_unique<SupervisorProcess>(options);
        run_->wait_until_serving();
    }

    // The service is unaffected: it answers, its status can be queried, and no worker was replaced.
    void expect_unharmed() {
        expect_flawless(BackgroundLoad(slow_load(run_->address(), 8, 0)).wait_for_end());
        const CommandResult status = run_->command("status", {"--json"});
        EXPECT_TRUE(status.succeeded()) << status.output;
        EXPECT_THAT(status.output, HasSubstr("\"serving\""));
        EXPECT_EQ(run_->log().count("worker_crashed"), 0U);
        EXPECT_EQ(run_->log().await_count(2U, "worker_spawned"), 2U);
    }

    void expect_clean_exit() {
        EXPECT_EQ(run_->stop(), ExitStatus{ExitedWith{0}});
        EXPECT_EQ(run_->log().count("worker_killed"), 0U);
    }

    std::unique_ptr<SupervisorProcess> run_;
};

class MalformedMessage : public ProtocolAbuse,
                         public testing::WithParamInterface<std::tuple<std::string, std::string>> {};

TEST_P(MalformedMessage, IsRejectedWithTheNameOfTheWorkerAndChangesNothing) {
    const auto& [kind, way] = GetParam();
    begin("--malformed " + kind + way);
    const LogEntry refused = run_->wait_for("message_refused", of_worker("1.1"));
    EXPECT_EQ(refused.pid, run_->wait_for("worker_spawned", of_worker("1.1")).pid);
    expect_unharmed();
    expect_clean_exit();
    EXPECT_THAT(run_->log().text(), testing::Not(HasSubstr("\x1b")));
}

INSTANTIATE_TEST_SUITE_P(OnTheControlPipe, MalformedMessage,
                         testing::Combine(testing::Values("empty", "no-equals", "nul", "overlong", "number", "negative",
                                                          "flag", "entry"),
                                          testing::Values("")));
INSTANTIATE_TEST_SUITE_P(OnTheNotifySocket, MalformedMessage,
                         testing::Combine(testing::Values("empty", "no-equals", "nul", "overlong", "number", "negative",
                                                          "flag", "entry"),
                                          testing::Values(" --by-notify")));

TEST_F(ProtocolAbuse, DescriptorsThatWereNotAnnouncedAreClosed) {
    for (const char* const way : {"", " --by-notify"}) {
        begin(std::string("--descriptors 200") + way);
        run_->wait_for("message_refused", of_worker("1.1"));
        expect_unharmed();
        EXPECT_LT(open_files_of(run_->pid()).size(), 100U);
        expect_clean_exit();
    }
}

TEST_F(ProtocolAbuse, AMainPidOfAForeignProcessIsRejected) {
    for (const std::string& pid : {std::string("1"), std::to_string(::getpid())}) {
        begin("--main-pid " + pid);
        EXPECT_THAT(run_->wait_for("message_refused").text, HasSubstr(pid));
        expect_unharmed();
        expect_clean_exit();
    }
}

// The worker sent HELLO, so it is sent stages, which it never reads; it is killed after the last stage.
TEST_F(ProtocolAbuse, AWorkerThatNeverReadsIsKilledAfterTheLastStage) {
    begin("--hello --read-nothing");
    expect_unharmed();
    run_->signal(SIGTERM);
    run_->wait_for("worker_told", of_worker("1.1"));
    EXPECT_EQ(run_->wait_for_exit(), ExitStatus{ExitedWith{3}});
    EXPECT_EQ(run_->log().count("worker_killed", of_worker("1.0")), 0U);
    EXPECT_EQ(run_->log().await_count(1U, "worker_killed", of_worker("1.1")), 1U);
}

TEST_F(ProtocolAbuse, AFloodOfMessagesDoesNotAffectTheService) {
    for (const char* const way : {"", " --by-notify"}) {
        begin(std::string("--flood") + way);
        expect_unharmed();
        BackgroundLoad load(fresh_load(run_->address()));
        restart_under_load(*run_, load, 2);
        expect_flawless(load.stop());
        expect_clean_exit();
        EXPECT_THAT(run_->log().text(), testing::Not(HasSubstr("\x1b")));
    }
}

TEST_F(ProtocolAbuse, AListenerThatWasShutDownIsRestoredAndCounted) {
    begin("--shutdown-listener");
    EXPECT_THAT(run_->wait_for("listener_revived").text, HasSubstr(run_->address()));
    expect_unharmed();
    EXPECT_THAT(run_->command("status", {"--json"}).output, HasSubstr("\"revived\":1"));
    expect_clean_exit();
}

TEST_F(ProtocolAbuse, ABacklogThatWasLoweredIsRestored) {
    begin("--backlog 7");
    run_->wait_for("backlog_restored", with_text("to 7"));
    ASSERT_EQ(backlogs_of(run_->pid()).size(), 1U);
    EXPECT_GT(backlogs_of(run_->pid()).front(), 7U);
    expect_unharmed();
    expect_clean_exit();
}

// All workers share this flag: a worker that relies on it blocks in accept for ever.
TEST_F(ProtocolAbuse, ClearingNonblockEveryMillisecondBlocksNoWorker) {
    begin("--clear-nonblock");
    BackgroundLoad load(fresh_load(run_->address()));
    restart_under_load(*run_, load, 3);
    expect_flawless(load.stop());
    expect_clean_exit();
}

}  // namespace
}  // namespace holdfast::test
