// A stop preempts a rollout in each of its phases: the client that requested the rollout is told, requests in flight
// are answered, no worker is killed and none is left.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <csignal>

#include "rollout_fixture.hpp"

namespace holdfast::test {
namespace {

class StopInARollout : public testing::Test {
  protected:
    // Workers of the second generation run `script` before hello-http.
    static RunOptions second_one_runs(const std::string& script) {
        return quick_service(2, hello_except("2.*", script));
    }

    void restart(const RunOptions& options, const std::string& by = "restart") {
        run_ = std::make_unique<SupervisorProcess>(options);
        run_->wait_until_serving();
        clients_ = std::make_unique<Clients>(run_->address());
        slow_ = std::make_unique<BackgroundLoad>(slow_load(run_->address(), 4, 1500));
        slow_->wait_for_sent(4);
        restart_ = run_->start_command(by);
    }

    // A shell script that ignores SIGTERM until the gate is open.
    std::string ignore_term() const {
        return "trap '' TERM; echo ignoring SIGTERM >&2; " + gate_.wait_command() + "; exit 0";
    }

    // From the stop on, new clients are refused. Requests in flight are answered, and keep-alive connections get one
    // more response.
    void stop_and_check() {
        clients_->wait_for_more();
        EXPECT_EQ(clients_->failed(), 0U);
        run_->signal(SIGTERM);
        expect_failed(restart_->wait(), {"the service is being stopped"});
        gate_.open();
        expect_flawless(slow_->wait_for_end());
        clients_->expect_only_refusals();
        EXPECT_EQ(run_->wait_for_exit(), ExitStatus{ExitedWith{0}});
        EXPECT_EQ(run_->log().count("worker_killed"), 0U);
    }

    Gate gate_;
    std::unique_ptr<SupervisorProcess> run_;
    std::unique_ptr<Clients> clients_;
    std::unique_ptr<BackgroundLoad> slow_;
    std::unique_ptr<RunningCommand> restart_;
};

TEST_F(StopInARollout, WhileItIsPrepared) {
    const TemporaryDirectory directory;
    RunOptions options = quick_service(2, hello_http());
    set_option(options, "--pre-restart", "echo looking >&2; sleep 1000");
    restart(options);
    run_->wait_for("", with_text("looking"));
    stop_and_check();
    EXPECT_EQ(run_->log().count("worker_launching", of_generation(2)), 0U);
}

TEST_F(StopInARollout, WhileNewWorkersStart) {
    restart(second_one_runs(gate_.wait_command()));
    run_->wait_for("worker_spawned", of_worker("2.1"));
    stop_and_check();
}

TEST_F(StopInARollout, WhileNewWorkersSettle) {
    RunOptions options = quick_service(2, hello_http());
    set_option(options, "--settle", "60s");
    restart(options);
    run_->wait_for("worker_ready", of_worker("2.1"));
    stop_and_check();
    EXPECT_EQ(run_->log().count("rollout_committed"), 0U);
}

// In steps: the first of two old workers has been told to leave, and the second new worker is still starting.
TEST_F(StopInARollout, WhileTheNextNewWorkerStarts) {
    RunOptions options = quick_service(2, hello_except("2.1", gate_.wait_command()));
    set_option(options, "--max-surge", "1");
    restart(options);
    run_->wait_for("worker_told", of_worker("1.0"));
    run_->wait_for("worker_spawned", of_worker("2.1"));
    stop_and_check();
}

TEST_F(StopInARollout, WhileOldWorkersDrain) {
    restart(quick_service(2, hello_http()));
    run_->wait_for("worker_told", of_worker("1.1"));
    stop_and_check();
}

TEST_F(StopInARollout, WhileTheNewGenerationIsInProbation) {
    RunOptions options = quick_service(2, hello_http());
    set_option(options, "--probation", "60s");
    restart(options);
    run_->wait_for("probation_started");
    stop_and_check();
}

TEST_F(StopInARollout, WhileOldWorkersDrainAfterTheProbation) {
    RunOptions options = quick_service(2, hello_http());
    set_option(options, "--probation", "100ms");
    restart(options);
    run_->wait_for("probation_passed");
    stop_and_check();
}

// One new worker has failed; the other one ignores SIGTERM until the gate is open.
TEST_F(StopInARollout, WhileTheFormerGenerationIsBroughtBack) {
    Gate failure;
    restart(second_one_runs("[ $HOLDFAST_SLOT = 1 ] || { " + failure.wait_command() + "; exit 1; }; " + ignore_term()));
    run_->wait_for("", with_text("ignoring SIGTERM"));
    failure.open();
    run_->wait_for("rollout_failed");
    stop_and_check();
}

TEST_F(StopInARollout, WhileItIsUndone) {
    restart(second_one_runs(ignore_term()));
    run_->wait_for("", with_text("ignoring SIGTERM"));
    const auto undo = run_->start_command("undo");
    run_->wait_for("rollout_undone");
    stop_and_check();
    expect_failed(undo->wait(), {"the service is being stopped"});
}

}  // namespace
}  // namespace holdfast::test
