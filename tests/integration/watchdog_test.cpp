// A worker that stops sending watchdog messages is replaced; time in which the supervisor itself was stopped does not
// count.

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/types.h>

#include <csignal>

#include "operations.hpp"
#include "proc.hpp"
#include "rollout_fixture.hpp"

namespace holdfast::test {
namespace {

using testing::HasSubstr;

constexpr std::int64_t watchdog_usec = 1'000'000;

RunOptions watched(std::vector<std::string> command) {
    RunOptions options = short_run(std::move(command));
    options.options.insert(options.options.end(), {"--watchdog", "1s"});
    set_option(options, "--grace-period", "300ms");
    set_option(options, "--cancel-period", "300ms");
    return options;
}

class Watchdog : public testing::TestWithParam<const char*> {
  protected:
    static std::vector<std::string> command() {
        return std::string(GetParam()) == "Sdk" ? hello_http() : python_server("heartbeat.py");
    }
};

// The clients start after the worker was stopped, so that no request is lost with it.
TEST_P(Watchdog, ReplacesAStoppedWorker) {
    SupervisorProcess run(watched(command()));
    run.wait_until_serving();
    const LogEntry victim = run.wait_for("worker_spawned", of_worker("1.1"));
    stop_process(victim.pid);
    Clients clients(run.address());
    const LogEntry missed = run.wait_for("worker_crashed", of_worker("1.1"));
    EXPECT_THAT(missed.text, HasSubstr("it missed its watchdog"));
    run.wait_for("worker_ready", of_worker("1.1"), missed.index);
    run.wait_for("worker_killed", of_worker("1.1"), missed.index);
    clients.expect_nothing_lost();
    EXPECT_EQ(run.log().count("worker_crashed", of_worker("1.0")), 0U);
    EXPECT_EQ(run.stop(), ExitStatus{ExitedWith{0}});
}

TEST_P(Watchdog, OfASupervisorThatWasStoppedEndsNoWorker) {
    SupervisorProcess run(watched(command()));
    run.wait_until_serving();
    Clients clients(run.address());
    for (int stall = 0; stall < 2; ++stall) {
        run.signal(SIGSTOP);
        wait_until_monotonic(monotonic_usec() + 2 * watchdog_usec);
        run.signal(SIGCONT);
        wait_until_monotonic(monotonic_usec() + watchdog_usec * 3 / 2);  // a wrong watchdog would expire
    }
    clients.wait_for_more();
    EXPECT_EQ(run.log().count("worker_crashed"), 0U);
    EXPECT_EQ(run.log().await_count(2U, "worker_spawned"), 2U);
    clients.expect_nothing_lost();
    // A worker that is silent now is detected.
    const LogEntry victim = run.wait_for("worker_spawned", of_worker("1.0"));
    stop_process(victim.pid);
    run.wait_for("worker_crashed", of_worker("1.0"));
    EXPECT_EQ(run.log().count("worker_crashed", of_worker("1.1")), 0U);
    run.wait_for("worker_killed", of_worker("1.0"));
    EXPECT_EQ(run.stop(), ExitStatus{ExitedWith{0}});
}

// As after a suspend of the machine: the supervisor continues before its workers and finds no messages from them.
TEST_P(Watchdog, EndsNoWorkerIfAllProcessesWereStopped) {
    RunOptions options = watched(command());
    set_option(options, "--watchdog", "3s");
    SupervisorProcess run(options);
    run.wait_until_serving();
    const std::vector<pid_t> workers = pids_of(run, 1, 2);
    Clients clients(run.address());
    clients.wait_for_more();
    run.signal(SIGSTOP);
    for (const pid_t pid : workers) ::kill(pid, SIGSTOP);
    wait_until_monotonic(monotonic_usec() + 4 * watchdog_usec);
    run.signal(SIGCONT);
    EXPECT_TRUE(run.command("status").succeeded());  // it has checked its deadlines
    for (const pid_t pid : workers) ::kill(pid, SIGCONT);
    clients.wait_for_more();
    wait_until_monotonic(monotonic_usec() + 4 * watchdog_usec);  // a wrong watchdog would expire
    EXPECT_EQ(run.log().count("worker_crashed"), 0U);
    clients.expect_nothing_lost();
    EXPECT_EQ(run.stop(), ExitStatus{ExitedWith{0}});
}

INSTANTIATE_TEST_SUITE_P(Worker, Watchdog, testing::Values("Sdk", "NotifySocket"),
                         [](const auto& instance) { return std::string(instance.param); });

}  // namespace
}  // namespace holdfast::test
