#include "harness.hpp"

#include <gtest/gtest.h>
#include <poll.h>
#include <sys/timerfd.h>
#include <unistd.h>

#include "programs.hpp"

namespace holdfast::test {

using namespace std::chrono_literals;

std::vector<std::string> shell_worker(const std::string& script) { return {"/bin/sh", "-c", script}; }

std::vector<std::string> hello_http() { return {program("hello-http")}; }

RunOptions two_hello_workers() {
    RunOptions options;
    options.options = {"--listen", "127.0.0.1:0", "--workers", "2", "--settle", "100ms"};
    options.command = hello_http();
    return options;
}

std::vector<std::string> hello_beside_stubborn(const std::string& options, const std::string& which) {
    return shell_worker("case $HOLDFAST_WORKER in " + which + ") exec " + program("stubborn") +
                        " --exit-on-drain --ready-after 0 " + options + ";; esac; exec " + hello_http().front());
}

std::vector<std::string> python_server(const std::string& script) {
    return {"/usr/bin/python3", std::string(server_scripts) + "/" + script};
}

std::string notify(const std::string& message) {
    return "/usr/bin/python3 " + std::string(server_scripts) + "/notify.py " + message;
}

std::vector<std::string> term_ignoring_tree() {
    return shell_worker("trap '' TERM INT HUP QUIT; setsid sleep 1000 & sleep 1000 & " + notify("READY=1") +
                        "; while :; do wait; done");
}

LoadOptions fresh_load(const std::string& address) {
    LoadOptions load;
    load.label = "fresh";
    load.server = parse_server_address(address).value();
    load.connections = Connections::fresh;
    load.clients = 8;
    load.rate = 300;
    return load;
}

LoadOptions keep_alive_load(const std::string& address) {
    LoadOptions load;
    load.label = "keep-alive";
    load.server = parse_server_address(address).value();
    load.connections = Connections::keep_alive;
    load.clients = 64;
    load.body = "a body of some length";
    load.path = "/?ms={0..50}";
    load.pause_high = 800ms;
    return load;
}

LoadOptions slow_load(const std::string& address, int requests, int milliseconds) {
    LoadOptions load = fresh_load(address);
    load.label = "slow";
    load.clients = requests;
    load.requests = static_cast<std::uint64_t>(requests);
    load.path = "/?ms=" + std::to_string(milliseconds);
    load.rate = 0;
    return load;
}

void expect_flawless(const LoadReport& report) {
    EXPECT_TRUE(report.is_balanced());
    EXPECT_GT(report.succeeded, 0U);
    EXPECT_EQ(report.failed(), 0U) << to_table(std::vector{report});
    for (const FailureExample& example : report.examples)
        ADD_FAILURE() << to_string(example.failure) << " at " << example.mono_usec << ": " << example.text;
}

void restart_under_load(SupervisorProcess& run, BackgroundLoad& load, int times) {
    for (int i = 0; i < times; ++i) {
        load.wait_for_more(20);
        const CommandResult result = run.command("restart");
        ASSERT_TRUE(result.succeeded()) << "restart " << i + 1 << ": " << result.output;
    }
    load.wait_for_more(20);
}

void wait_until_monotonic(std::int64_t mono_usec) {
    const int timer_fd = ::timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC);
    itimerspec alarm{};
    alarm.it_value = {.tv_sec = mono_usec / 1'000'000, .tv_nsec = mono_usec % 1'000'000 * 1'000};
    ::timerfd_settime(timer_fd, TFD_TIMER_ABSTIME, &alarm, nullptr);
    pollfd ready{.fd = timer_fd, .events = POLLIN, .revents = 0};
    ::poll(&ready, 1, -1);
    ::close(timer_fd);
}

}  // namespace holdfast::test
