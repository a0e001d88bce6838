// Each adapter of the SDK, with its example: restarts lose no request, neither on new connections nor on keep-alive
// connections of clients that pause for less than the server promises to wait. The same clients do lose requests if the
// server promises nothing.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <csignal>
#include <filesystem>
#include <iostream>
#include <iterator>
#include <set>
#include <sstream>

#include "harness.hpp"
#include "programs.hpp"

namespace holdfast::test {
namespace {

using namespace std::chrono_literals;

constexpr Duration keep_alive_min = 1s;  // the default of HOLDFAST_KEEP_ALIVE_MIN
constexpr int restarts = 20;

class Adapter : public testing::TestWithParam<std::string> {
  protected:
    void SetUp() override {
        ASSERT_TRUE(std::filesystem::exists(program(GetParam())))
            << GetParam() << " is not built: its library is not installed; run scripts/setup";
    }

    static RunOptions two_workers(const std::string& example) {
        RunOptions options;
        options.options = {"--listen", "127.0.0.1:0", "--workers", "2", "--settle", "50ms"};
        options.command = {program(example)};
        return options;
    }

    static LoadOptions fresh_requests(const std::string& address) {
        LoadOptions load = fresh_load(address);
        load.path = "/?ms={0..500}";
        return load;
    }

    static LoadOptions kept_connections(const std::string& address) {
        LoadOptions load = keep_alive_load(address);
        load.path = "/?ms={0..500}";
        load.pause_high = keep_alive_min * 8 / 10;
        load.latency = 10ms;
        load.promised_idle = keep_alive_min;
        return load;
    }
};

std::size_t generations(const LoadReport& one, const LoadReport& other) {
    std::set<std::uint64_t> seen;
    for (const auto& [generation, count] : one.by_generation) seen.insert(generation);
    for (const auto& [generation, count] : other.by_generation) seen.insert(generation);
    return seen.size();
}

void expect_clean_end(SupervisorProcess& run) {
    EXPECT_EQ(run.stop(), ExitStatus{ExitedWith{0}});
    EXPECT_EQ(run.log().count("listener_revived"), 0U);
    EXPECT_EQ(run.log().count("listener_lost"), 0U);
    EXPECT_EQ(run.log().count("worker_killed"), 0U);
}

void print(const std::string& example, const LoadReport& report) {
    std::cout << example << ": " << report.label << ": " << report.attempts << " requests, " << report.reused
              << " of them on a reused connection, " << report.failed() << " failed, " << report.excused_late
              << " excused as late; " << report.closed_while_idle << " connections closed while idle\n";
}

TEST_P(Adapter, LosesNothingOverTwentyRestarts) {
    SupervisorProcess run(two_workers(GetParam()));
    run.wait_until_serving();
    BackgroundLoad fresh(fresh_requests(run.address())), kept(kept_connections(run.address()));
    ASSERT_NO_FATAL_FAILURE(restart_under_load(run, kept, restarts));
    const LoadReport fresh_report = fresh.stop(), kept_report = kept.stop();
    print(GetParam(), fresh_report);
    print(GetParam(), kept_report);
    expect_flawless(fresh_report);
    expect_flawless(kept_report);
    EXPECT_GE(generations(fresh_report, kept_report), std::size_t{restarts});
    expect_clean_end(run);
    EXPECT_EQ(run.log().await_count(std::size_t{restarts}, "rollout_done"), std::size_t{restarts});
}

// The control experiment: the client above is strict enough to detect the losses of servers that close idle connections
// at once.
TEST_P(Adapter, LosesRequestsIfIdleConnectionsAreClosedAtOnce) {
    RunOptions options = two_workers(GetParam());
    options.options.insert(options.options.end(), {"--env", "HOLDFAST_KEEP_ALIVE_MIN=0"});
    SupervisorProcess run(options);
    run.wait_until_serving();
    std::uint64_t lost = 0;
    for (int done = 0; done < restarts && lost == 0; ++done) {
        BackgroundLoad kept(kept_connections(run.address()));
        kept.wait_for_more(100);  // then the connections are reused ones
        ASSERT_NO_FATAL_FAILURE(restart_under_load(run, kept, 1));
        const LoadReport report = kept.stop();
        print(GetParam(), report);
        lost = report.count(Failure::closed_on_reused) + report.count(Failure::reset_on_reused);
    }
    EXPECT_GT(lost, 0U);
    expect_clean_end(run);
}

// The clients lose these requests or get an early response; no request delays the restart.
TEST_P(Adapter, EndsRequestsAtTheCancel) {
    constexpr int milliseconds = 8000;
    RunOptions options = two_workers(GetParam());
    set_option(options, "--grace-period", "200ms");
    set_option(options, "--cancel-period", "25s");
    SupervisorProcess run(options);
    run.wait_until_serving();
    BackgroundLoad slow(slow_load(run.address(), 4, milliseconds));
    slow.wait_for_sent(4);
    run.command("restart");
    const LoadReport report = slow.wait_for_end();
    EXPECT_LT(report.elapsed, std::chrono::milliseconds(milliseconds)) << to_table(std::vector{report});
    EXPECT_EQ(run.log().count("worker_killed"), 0U);
}

// Whatever an example has begun before it asks for its listener must not keep it from ending.
TEST_P(Adapter, SaysWhatIsWrongIfItsListenerIsMissing) {
    RunOptions options = two_workers(GetParam());
    options.options = {"--listen", "a=127.0.0.1:0", "--listen", "b=127.0.0.1:0"};
    SupervisorProcess run(options);
    EXPECT_THAT(run.wait_for("worker_crashed").text, testing::HasSubstr("exited with status 1"));
    run.stop();
}

class LateClients : public Adapter {};

// A client that pauses for longer than the promised time can still lose a request. The test prints how often and does
// not limit it; requests after shorter pauses must not be lost.
TEST_P(LateClients, MayLoseOnlyRequestsAfterThePromisedPause) {
    SupervisorProcess run(two_workers(GetParam()));
    run.wait_until_serving();
    LoadOptions late = kept_connections(run.address());
    late.pause_low = keep_alive_min * 8 / 10;
    late.pause_high = keep_alive_min * 3 / 2;
    late.path = "/";
    BackgroundLoad load(late);
    ASSERT_NO_FATAL_FAILURE(restart_under_load(run, load, 5));
    const LoadReport report = load.stop();
    print(GetParam(), report);
    expect_flawless(report);
    expect_clean_end(run);
}

std::string name_of(const testing::TestParamInfo<std::string>& adapter) {
    std::string name = adapter.param;
    std::ranges::replace(name, '-', '_');
    return name;
}

// The examples that this build must contain, given by the build.
std::vector<std::string> examples() {
    std::istringstream names(HOLDFAST_ADAPTER_EXAMPLES);
    return {std::istream_iterator<std::string>(names), {}};
}

INSTANTIATE_TEST_SUITE_P(Http, Adapter, testing::ValuesIn(examples()), name_of);
INSTANTIATE_TEST_SUITE_P(Http, LateClients, testing::Values("epoll-http"), name_of);

}  // namespace
}  // namespace holdfast::test
