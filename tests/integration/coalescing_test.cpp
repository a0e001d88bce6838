// Many clients request the same change: it is carried out at most twice, and every client gets the outcome.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "rollout_fixture.hpp"

namespace holdfast::test {
namespace {

class TenRestarts : public testing::Test {
  protected:
    // The first restart is in progress while the gate is closed; the others are queued.
    void request_restarts(const std::vector<std::string>& command) {
        run_ = std::make_unique<SupervisorProcess>(quick_service(2, command));
        run_->wait_until_serving();
        clients_ = std::make_unique<Clients>(run_->address());
        for (int i = 0; i < 10; ++i) restarts_.push_back(run_->start_command("restart"));
        LogEntry joined = run_->wait_for("request_coalesced");
        for (int i = 1; i < 8; ++i) joined = run_->wait_for("request_coalesced", any_entry(), joined.index + 1);
        clients_->wait_for_more();
        gate_.open();
    }

    Gate gate_;
    std::unique_ptr<SupervisorProcess> run_;
    std::unique_ptr<Clients> clients_;
    std::vector<std::unique_ptr<RunningCommand>> restarts_;
};

TEST_F(TenRestarts, RequestedAtOnceAreTwoRollouts) {
    request_restarts(hello_except("2.*", gate_.wait_command()));
    int second = 0;
    for (const auto& restart : restarts_) {
        const CommandResult result = restart->wait();
        expect_done(result);
        if (result.output.find("generation 3 serves with 2 workers") != std::string::npos) ++second;
    }
    EXPECT_EQ(second, 9);
    EXPECT_EQ(run_->log().await_count(2U, "rollout_started"), 2U);
    EXPECT_EQ(run_->log().await_count(2U, "rollout_done"), 2U);
    EXPECT_THAT(clients_->expect_nothing_lost(), testing::Contains(3U));
    expect_clean_stop(*run_);
}

TEST_F(TenRestarts, AreAllToldThatTheSecondRolloutFailed) {
    request_restarts(hello_except(
        "[23].*", gate_.wait_command() + "; [ $HOLDFAST_GENERATION = 2 ] || { echo no licence >&2; exit 6; }"));
    int failed = 0;
    for (const auto& restart : restarts_) {
        const CommandResult result = restart->wait();
        if (result.succeeded()) continue;
        ++failed;
        expect_failed(result, {"status 6", "its last words:\n  no licence", "generation 2 serves with 2 workers"});
    }
    EXPECT_EQ(failed, 9);
    clients_->expect_nothing_lost();
    expect_clean_stop(*run_);
}

}  // namespace
}  // namespace holdfast::test
