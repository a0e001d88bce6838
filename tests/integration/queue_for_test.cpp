// If no worker serves for longer than --queue-for, clients are refused at once; no client is refused after a worker has
// become ready.

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/types.h>

#include <csignal>
#include <filesystem>
#include <fstream>
#include <string>

#include "operations.hpp"
#include "rollout_fixture.hpp"

namespace holdfast::test {
namespace {

using testing::AnyOf;
using testing::HasSubstr;

constexpr std::int64_t unserved_usec = 15'000'000;
// A client that connects while a worker is being launched waits until the launch has failed.
constexpr Duration max_refusal_delay = std::chrono::seconds(5);

class QueueFor : public testing::Test {
  protected:
    void begin() {
        // A service that cannot start while the flag exists.
        RunOptions options = short_run(shell_worker("if [ -e " + flag() + " ]; then echo the database is away >&2; " +
                                                    "exit 7; fi; exec " + hello_http().front()));
        set_option(options, "--workers", "1");
        options.options.insert(options.options.end(), {"--queue-for", "300ms", "--backoff", "700ms..700ms"});
        run_ = std::make_unique<SupervisorProcess>(options);
        run_->wait_until_serving();
    }

    LogEntry kill_worker() {
        std::ofstream(flag()) << "away";
        ::kill(run_->wait_for("worker_spawned").pid, SIGKILL);
        return run_->wait_for("worker_gone");
    }
    void let_worker_start() const { std::filesystem::remove(flag()); }

    SupervisorProcess& run() { return *run_; }

  private:
    std::string flag() const { return directory_ / "away"; }

    TemporaryDirectory directory_;
    std::unique_ptr<SupervisorProcess> run_;
};

TEST_F(QueueFor, RefusesClientsAtOnceAndServesThemFromTheFirstReadyWorkerOn) {
    begin();
    const LogEntry gone = kill_worker();
    const LogEntry closed = run().wait_for("doors_closed");
    EXPECT_THAT(closed.text, HasSubstr("no worker has served for"));
    EXPECT_GE(closed.mono_usec - gone.mono_usec, 300'000);
    const std::string status = wait_for_status(run(), "no worker serves");
    EXPECT_THAT(status, HasSubstr("refused"));
    EXPECT_THAT(status, HasSubstr("the database is away"));

    LoadOptions persistent = fresh_load(run().address());
    persistent.rate = 50;
    persistent.timeout = persistent.connect_timeout = max_refusal_delay;
    BackgroundLoad meanwhile(persistent);
    wait_until_monotonic(gone.mono_usec + unserved_usec);
    const LoadReport refused = meanwhile.stop();
    EXPECT_GT(refused.count(Failure::refused), 0U) << to_table(std::vector{refused});
    EXPECT_EQ(refused.succeeded, 0U);
    for (const Failure waited : {Failure::timed_out, Failure::connect_timed_out}) {
        EXPECT_EQ(refused.count(waited), 0U) << to_table(std::vector{refused});
    }
    EXPECT_LT(refused.elapsed, test_timeout);

    // Clients that connect after the start of the successful launch wait in the queue and are answered.
    const std::int64_t back = monotonic_usec();
    let_worker_start();
    const LogEntry opened = run().wait_for("doors_opened", at_or_after(back));
    Clients clients(run().address());
    run().wait_for("worker_ready", any_entry(), opened.index);
    clients.expect_nothing_lost();
    EXPECT_EQ(run().log().count("doors_closed", any_entry(), opened.index), 0U);
    EXPECT_EQ(run().stop(), ExitStatus{ExitedWith{0}});
}

TEST_F(QueueFor, RefusesClientsThatWaitInTheQueueWhenItExpires) {
    begin();
    kill_worker();
    BackgroundLoad waiting(slow_load(run().address(), 4, 0));
    const LoadReport report = waiting.wait_for_end();
    EXPECT_EQ(report.succeeded, 0U);
    EXPECT_EQ(report.count(Failure::timed_out), 0U) << to_table(std::vector{report});
    let_worker_start();
    run().command("restart");  // a request of an operator does not wait for the backoff
    expect_served(run().address());
    EXPECT_EQ(run().stop(), ExitStatus{ExitedWith{0}});
}

}  // namespace
}  // namespace holdfast::test
