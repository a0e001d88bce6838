// A worker can harm only itself: whatever it sends, or does not read, changes nothing but the log.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <csignal>

#include "harness.hpp"
#include "proc.hpp"

namespace holdfast::test {
namespace {

using namespace std::chrono_literals;
using testing::HasSubstr;

// Slot 0 serves; slot 1 misbehaves from the moment it is ready.
class Misdeed : public testing::Test {
  protected:
    void begin(const std::string& kind) {
        RunOptions options;
        options.options = {"--listen", "127.0.0.1:0", "--workers", "2", "--settle", "100ms", "--grace-period", "2s"};
        std::string script;
        for (const std::string& word : python_server("misdeeds.py")) script += word + " ";
        options.command =
            shell_worker("[ $HOLDFAST_SLOT = 1 ] && exec " + script + kind + "; exec " + hello_http().front());
        run_ = std::make_unique<Supervised>(options);
        run_->wait_until_serving();
    }

    // The service is as before: it answers, it can be asked, nobody crashed, and it ends as it should.
    void expect_unharmed() {
        expect_flawless(BackgroundLoad(slow_load(run_->address(), 8, 0)).wait_for_end());
        const CommandResult status = run_->command("status", {"--json"});
        EXPECT_TRUE(status.succeeded()) << status.output;
        EXPECT_THAT(status.output, HasSubstr("\"serving\""));
        EXPECT_EQ(run_->log().count("worker_crashed"), 0U);
    }

    std::unique_ptr<Supervised> run_;
};

TEST_F(Misdeed, MalformedMessagesAreNamedAndRefused) {
    begin("malformed");
    const LogEntry refused = run_->wait_for("message_refused", of_worker("1.1"));
    EXPECT_GT(refused.pid, 0);
    expect_unharmed();
    EXPECT_EQ(run_->stop(), ExitStatus{ExitedWith{0}});
}

TEST_F(Misdeed, DescriptorsThatNobodyAnnouncedAreNotKept) {
    begin("descriptors");
    run_->wait_for("message_refused", of_worker("1.1"));
    expect_unharmed();
    EXPECT_LT(open_files_of(run_->pid()).size(), 100U);
    EXPECT_EQ(run_->stop(), ExitStatus{ExitedWith{0}});
}

TEST_F(Misdeed, AMainPidThatIsNotItsOwnIsRefused) {
    for (const std::string kind : {"mainpid-1", "mainpid-foreign"}) {
        begin(kind);
        run_->wait_for("message_refused", with_text("main process"));
        expect_unharmed();
        EXPECT_EQ(run_->stop(), ExitStatus{ExitedWith{0}});
    }
}

// It said HELLO, so it is told stages, which it never reads; the ladder goes on and ends it.
TEST_F(Misdeed, AWorkerThatNeverReadsIsEndedByTheLadder) {
    begin("never-reads");
    expect_unharmed();
    run_->signal(SIGTERM);
    run_->wait_for("worker_told", of_worker("1.1"));
    EXPECT_EQ(run_->wait_for_exit(), ExitStatus{ExitedWith{3}});
    EXPECT_EQ(run_->log().count("worker_killed", of_worker("1.0")), 0U);
    EXPECT_EQ(run_->log().count("worker_killed", of_worker("1.1")), 1U);
}

TEST_F(Misdeed, AFloodOfMessagesKeepsNobodyFromWorking) {
    begin("flood");
    expect_unharmed();
    BackgroundLoad load(fresh_load(run_->address()));
    restart_under(*run_, load, 2);
    expect_flawless(load.stop());
    EXPECT_EQ(run_->stop(), ExitStatus{ExitedWith{0}});
    EXPECT_THAT(run_->log().text(), testing::Not(HasSubstr("\x1b")));
}

TEST_F(Misdeed, AListenerThatAWorkerShutDownIsRevivedAndTheSuspectNamed) {
    begin("shut-down-listener");
    run_->wait_for("listener_revived");
    expect_unharmed();
    EXPECT_THAT(run_->command("status", {"--json"}).output, HasSubstr("\"revived\":1"));
    EXPECT_EQ(run_->stop(), ExitStatus{ExitedWith{0}});
}

TEST_F(Misdeed, ABacklogThatAWorkerLoweredIsRestored) {
    begin("lower-backlog");
    run_->wait_for("backlog_restored", with_text("to 7"));
    expect_unharmed();
    EXPECT_EQ(run_->stop(), ExitStatus{ExitedWith{0}});
}

// The flag lives on the description that all share: a worker that trusts it hangs in accept for ever.
TEST_F(Misdeed, ASiblingThatClearsNonblockEveryMillisecondStopsNobody) {
    begin("clear-nonblock");
    BackgroundLoad load(fresh_load(run_->address()));
    restart_under(*run_, load, 3);
    expect_flawless(load.stop());
    EXPECT_EQ(run_->stop(), ExitStatus{ExitedWith{0}});
    EXPECT_EQ(run_->log().count("worker_killed"), 0U);
}

}  // namespace
}  // namespace holdfast::test
