// Generations that fail before the commit cost nothing: no client loses a request, no worker of the former generation
// is asked to leave, and the requester is told the reason with the last lines of output of the worker that failed.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "rollout_fixture.hpp"

namespace holdfast::test {
namespace {

using namespace std::chrono_literals;
using testing::ElementsAre;
using testing::HasSubstr;

class FailedRollout : public testing::Test {
  protected:
    void serve(const RunOptions& options) {
        run_ = std::make_unique<SupervisorProcess>(options);
        run_->wait_until_serving();
        clients_ = std::make_unique<Clients>(run_->address());
        clients_->wait_for_more();
    }

    void expect_restart_to_fail(std::initializer_list<std::string> parts) {
        expect_failed(run_->command("restart"), parts);
        clients_->wait_for_more();
    }

    // The former generation was not affected, and the next restart succeeds.
    void expect_former_generation_unaffected() {
        EXPECT_EQ(run_->log().count("worker_told", of_generation(1)), 0U);
        EXPECT_EQ(run_->log().count("worker_gone", of_generation(1)), 0U);
        EXPECT_EQ(run_->log().count("rollout_committed"), 0U);
        expect_done(run_->command("restart"));
        EXPECT_THAT(clients_->expect_nothing_lost(), ElementsAre(1U, 3U));
        expect_clean_stop(*run_);
    }

    std::unique_ptr<SupervisorProcess> run_;
    std::unique_ptr<Clients> clients_;
};

TEST_F(FailedRollout, OfAGenerationThatCrashesAtTheStartCostsNothing) {
    serve(quick_service(2, hello_except("2.*", "echo no such setting: cache_size >&2; exit 78")));
    expect_restart_to_fail(
        {"status 78", "its last words:\n  no such setting: cache_size", "generation 1 serves with 2 workers"});
    expect_former_generation_unaffected();
}

TEST_F(FailedRollout, OfAGenerationThatCrashesWhileItSettlesCostsNothing) {
    RunOptions options = quick_service(2, hello_except("2.*", "echo cannot reach the database >&2; " +
                                                                  protocol_worker("--exit-after 100 --status 9")));
    set_option(options, "--settle", "1s");
    serve(options);
    expect_restart_to_fail(
        {"status 9", "its last words:\n  cannot reach the database", "generation 1 serves with 2 workers"});
    run_->wait_for("worker_ready", of_generation(2));
    expect_former_generation_unaffected();
}

TEST_F(FailedRollout, OfAGenerationThatNeverGetsReadyCostsNothing) {
    RunOptions options = quick_service(
        2, hello_except("2.*", "echo waiting for the lock >&2; " + protocol_worker("--ready-after 60000")));
    set_option(options, "--ready-timeout", "2s");
    serve(options);
    expect_restart_to_fail({"did not get ready within 2.0 s", "its last words:\n  waiting for the lock",
                            "generation 1 serves with 2 workers"});
    EXPECT_EQ(run_->log().count("worker_ready", of_generation(2)), 0U);
    expect_former_generation_unaffected();
}

TEST_F(FailedRollout, OfAGenerationWhoseEveryThirdWorkerFailsCostsNothing) {
    serve(quick_service(6, hello_except("2.[25]", "echo port 9000 is taken >&2; exit 3")));
    expect_restart_to_fail({"status 3", "its last words:\n  port 9000 is taken", "generation 1 serves with 6 workers"});
    EXPECT_EQ(run_->log().count("worker_told", of_generation(1)), 0U);
    EXPECT_EQ(run_->log().count("worker_gone", of_generation(1)), 0U);
    expect_done(run_->command("restart"));
    clients_->expect_nothing_lost();  // workers of the failed generation may have answered
    expect_clean_stop(*run_);
}

// With a surge of less than 100%, workers that were already replaced are launched again with their own program, or
// brought back while they drain.
TEST_F(FailedRollout, InStepsIsRolledBackStepByStep) {
    RunOptions options = quick_service(3, hello_except("2.2", "echo out of memory >&2; exit 12"));
    set_option(options, "--max-surge", "1");
    serve(options);
    expect_restart_to_fail(
        {"worker 2.2", "status 12", "its last words:\n  out of memory", "generation 1 serves with 3 workers"});
    const std::size_t failed = run_->wait_for("rollout_failed").index;
    run_->wait_for("rollout_done");
    EXPECT_EQ(run_->log().count("worker_ready", of_generation(1), failed) +
                  run_->log().count("worker_recalled", of_generation(1), failed),
              2U);
    EXPECT_EQ(run_->log().await_count(3U, "worker_gone", of_generation(2)), 3U);
    expect_done(run_->command("restart"));
    clients_->expect_nothing_lost();
    expect_clean_stop(*run_);
}

TEST_F(FailedRollout, IsInTheHistoryWithItsReason) {
    serve(quick_service(1, hello_except("2.*", "echo no such table >&2; exit 5")));
    expect_restart_to_fail({"no such table"});
    const CommandResult history = run_->command("history");
    expect_done(history);
    EXPECT_THAT(history.output, HasSubstr("status 5"));
    clients_->expect_nothing_lost();
    expect_clean_stop(*run_);
}

}  // namespace
}  // namespace holdfast::test
