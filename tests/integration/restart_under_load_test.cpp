// Restarts lose no request, neither on new connections nor on keep-alive connections.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <csignal>
#include <iostream>

#include "harness.hpp"

namespace holdfast::test {
namespace {

using namespace std::chrono_literals;

RunOptions two_workers(const std::string& listen, std::vector<std::string> command) {
    RunOptions options;
    options.options = {"--listen", listen, "--workers", "2", "--settle", "200ms"};
    options.command = std::move(command);
    return options;
}

double in_ms(Duration duration) { return static_cast<double>(duration.count()) / 1000.0; }

LoadOptions for_a_while(LoadOptions load) {
    load.duration = 3s;
    return load;
}

void compare_gaps(const LoadReport& quiet, const LoadReport& restarted) {
    expect_flawless(quiet);
    expect_flawless(restarted);
    std::cout << restarted.label << ": " << restarted.attempts << " requests; longest gap "
              << in_ms(restarted.longest_gap) << " ms with restarts, " << in_ms(quiet.longest_gap)
              << " ms without, ratio " << in_ms(restarted.longest_gap) / in_ms(quiet.longest_gap) << '\n';
}

// Restarts the service `times` times under both kinds of load.
void restart_and_compare(SupervisorProcess& run, const std::string& address, int times) {
    run.wait_until_serving();
    // The same loads without a restart, for comparison.
    BackgroundLoad quiet_fresh(for_a_while(fresh_load(address))), quiet_kept(for_a_while(keep_alive_load(address)));
    const LoadReport fresh_before = quiet_fresh.wait_for_end(), kept_before = quiet_kept.wait_for_end();
    BackgroundLoad fresh(fresh_load(address)), kept(keep_alive_load(address));
    restart_under_load(run, kept, times);
    compare_gaps(fresh_before, fresh.stop());
    compare_gaps(kept_before, kept.stop());
    EXPECT_EQ(run.stop(), ExitStatus{ExitedWith{0}});
    EXPECT_EQ(run.log().await_count(static_cast<std::size_t>(times), "rollout_done"), static_cast<std::size_t>(times));
    EXPECT_EQ(run.log().count("worker_killed"), 0U);
}

TEST(RestartUnderLoad, LosesNothingOnTcp) {
    SupervisorProcess run(two_workers("127.0.0.1:0", hello_http()));
    restart_and_compare(run, run.address(), 20);
}

// Thousands of requests per second on connections that are hardly ever idle, so that there is a request at every moment
// of a worker's drain.
TEST(RestartUnderLoad, LosesNothingOnBusyConnections) {
    SupervisorProcess run(two_workers("127.0.0.1:0", hello_http()));
    run.wait_until_serving();
    LoadOptions busy = keep_alive_load(run.address());
    busy.path = "/";
    busy.pause_high = 20ms;
    BackgroundLoad load(busy);
    restart_under_load(run, load, 20);
    const LoadReport report = load.stop();
    expect_flawless(report);
    EXPECT_GT(report.reused, report.connections);
    EXPECT_EQ(run.stop(), ExitStatus{ExitedWith{0}});
}

TEST(RestartUnderLoad, LosesNothingOnIpv6) {
    SupervisorProcess run(two_workers("[::1]:0", hello_http()));
    restart_and_compare(run, run.address(), 4);
}

TEST(RestartUnderLoad, LosesNothingOnAUnixSocket) {
    const TemporaryDirectory directory;
    const std::string address = "unix:" + directory / "web.sock";
    SupervisorProcess run(two_workers(address, hello_http()));
    restart_and_compare(run, address, 10);
}

TEST(RestartUnderLoad, LosesNothingWhenWorkersNeedTimeToStart) {
    const std::string slow_start = "sleep 1.5; exec " + hello_http().front();
    SupervisorProcess run(two_workers("127.0.0.1:0", shell_worker(slow_start)));
    restart_and_compare(run, run.address(), 6);
}

TEST(RestartUnderLoad, LosesNothingWhenEveryThirdGenerationFailsAfterReady) {
    const TemporaryDirectory directory;
    const std::string failing = "if [ $((HOLDFAST_GENERATION % 3)) = 0 ]; then " + notify("READY=1") +
                                "; echo no configuration >&2; exit 1; fi; exec " + hello_http().front();
    SupervisorProcess run(two_workers("127.0.0.1:0", shell_worker(failing)));
    run.wait_until_serving();
    BackgroundLoad fresh(fresh_load(run.address())), kept(keep_alive_load(run.address()));
    int failed = 0;
    for (int generation = 2; generation <= 13; ++generation) {
        kept.wait_for_more(20);
        const CommandResult result = run.command("restart");
        EXPECT_EQ(result.succeeded(), generation % 3 != 0) << result.output;
        if (generation % 3 != 0) continue;
        ++failed;
        EXPECT_THAT(result.output, testing::HasSubstr("no configuration"));
    }
    EXPECT_EQ(failed, 4);
    expect_flawless(fresh.stop());
    const LoadReport report = kept.stop();
    expect_flawless(report);
    for (const auto& [generation, count] : report.by_generation) EXPECT_NE(generation % 3, 0U);
    EXPECT_EQ(run.stop(), ExitStatus{ExitedWith{0}});
}

// With a surge of less than 100%, the rollout proceeds in steps.
TEST(RestartUnderLoad, LosesNothingInSteps) {
    for (const char* const surge : {"1", "0"}) {
        RunOptions options = two_workers("127.0.0.1:0", hello_http());
        set_option(options, "--max-surge", surge);
        SupervisorProcess run(options);
        run.wait_until_serving();
        BackgroundLoad fresh(fresh_load(run.address())), kept(keep_alive_load(run.address()));
        restart_under_load(run, kept, 2);
        expect_flawless(fresh.stop());
        expect_flawless(kept.stop());
        EXPECT_EQ(run.stop(), ExitStatus{ExitedWith{0}});
    }
}

TEST(RestartUnderLoad, LosesNothingWhileWorkersComeAndGo) {
    SupervisorProcess run(two_workers("127.0.0.1:0", hello_http()));
    run.wait_until_serving();
    BackgroundLoad fresh(fresh_load(run.address())), kept(keep_alive_load(run.address()));
    for (const char* const workers : {"5", "1", "3", "2"}) {
        kept.wait_for_more(20);
        const CommandResult result = run.command("scale", {workers});
        ASSERT_TRUE(result.succeeded()) << result.output;
    }
    run.signal(SIGTTIN);
    run.wait_for("worker_settled", of_worker("1.2"), run.wait_for("scale_started", with_text("SIGTTIN")).index);
    run.signal(SIGTTOU);
    const LogEntry fewer = run.wait_for("scale_started", with_text("SIGTTOU"));
    run.wait_for("worker_gone", of_worker("1.2"), fewer.index);
    expect_flawless(fresh.stop());
    expect_flawless(kept.stop());
    EXPECT_EQ(run.stop(), ExitStatus{ExitedWith{0}});
}

// The control experiment: without a held socket the same client detects failures, so it would have detected them above.
TEST(RestartUnderLoad, LosesRequestsIfTheServerBindsItsOwnPort) {
    RunOptions options;
    SupervisorProcess holder(two_workers("127.0.0.1:0", hello_http()));
    const std::string address = holder.address();
    EXPECT_EQ(holder.stop(), ExitStatus{ExitedWith{0}});

    options.options = {"--max-surge", "0", "--settle", "200ms"};
    options.command = python_server("own_port.py");
    options.command.push_back(address.substr(address.find(':') + 1));
    SupervisorProcess run(options);
    run.wait_until_serving();
    BackgroundLoad fresh(fresh_load(address)), kept(keep_alive_load(address));
    restart_under_load(run, fresh, 3);
    EXPECT_GT(fresh.stop().count(Failure::refused), 0U);
    EXPECT_GT(kept.stop().failed(), 0U);
}

}  // namespace
}  // namespace holdfast::test
