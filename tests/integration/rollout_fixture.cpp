#include "rollout_fixture.hpp"

#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/file.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <limits>
#include <system_error>
#include <utility>

#include "programs.hpp"

namespace holdfast::test {
namespace {

using namespace std::chrono_literals;

constexpr std::uint64_t a_few = 10;
constexpr int max_clients = 16;

LoadOptions fresh_clients(const std::string& address) {
    LoadOptions load = fresh_load(address);
    load.clients = 4;
    load.rate = 150;
    return load;
}

LoadOptions kept_clients(const std::string& address) {
    LoadOptions load = keep_alive_load(address);
    load.clients = max_clients;
    load.pause_high = 500ms;
    load.promised_idle = 1s;  // HOLDFAST_KEEP_ALIVE_MIN
    load.latency = 10ms;      // without latency, a connection that is closed too early would hardly ever be detected
    return load;
}

}  // namespace

RunOptions quick_service(int workers, std::vector<std::string> command) {
    RunOptions options;
    options.options = {"--listen", "127.0.0.1:0", "--workers", std::to_string(workers), "--settle", "200ms"};
    options.command = std::move(command);
    return options;
}

std::vector<std::string> hello_except(const std::string& which, const std::string& script) {
    return shell_worker("case $HOLDFAST_WORKER in " + which + ") " + script + ";; esac; exec " + hello_http().front());
}

std::string protocol_worker(const std::string& options) {
    return "exec " + program("stubborn") + " --hello --exit-on-drain --ready-after 0 " + options;
}

Clients::Clients(const std::string& address) : fresh_(fresh_clients(address)), kept_(kept_clients(address)) {}

void Clients::wait_for_more() {
    fresh_.wait_for_more(a_few);
    kept_.wait_for_more(a_few);
}

std::set<std::uint64_t> Clients::expect_nothing_lost() {
    wait_for_more();
    std::set<std::uint64_t> generations;
    for (const LoadReport& report : stop()) {
        expect_flawless(report);
        for (const auto& [generation, count] : report.by_generation) generations.insert(generation);
    }
    return generations;
}

// Linux resets the connections that are still in the accept queue when a listener is closed, at most one per client.
std::int64_t Clients::expect_only_refusals() {
    std::int64_t first = std::numeric_limits<std::int64_t>::max();
    for (const LoadReport& report : stop()) {
        EXPECT_TRUE(report.is_balanced());
        EXPECT_GT(report.succeeded, 0U);
        EXPECT_EQ(report.failed(), report.count(Failure::refused) + report.count(Failure::reset_on_fresh))
            << to_table(std::vector{report});
        EXPECT_LE(report.count(Failure::reset_on_fresh), std::uint64_t{max_clients}) << to_table(std::vector{report});
        for (const FailureExample& example : report.examples) first = std::min(first, example.mono_usec);
    }
    return first;
}

std::vector<LoadReport> Clients::stop() { return {fresh_.stop(), kept_.stop()}; }

Gate::Gate() : lock_fd_(::open((directory_ / "gate").c_str(), O_CREAT | O_RDWR | O_CLOEXEC, 0644)) {
    if (lock_fd_ < 0 || ::flock(lock_fd_, LOCK_EX) != 0)
        throw std::system_error(errno, std::generic_category(), "cannot close the gate");
}

Gate::~Gate() { ::close(lock_fd_); }

std::string Gate::wait_command() const { return "flock --shared " + (directory_ / "gate") + " true"; }

void Gate::open() { ::flock(lock_fd_, LOCK_UN); }

void expect_failed(const CommandResult& result, std::initializer_list<std::string> parts) {
    EXPECT_EQ(result.status, ExitStatus{ExitedWith{1}}) << result.output;
    for (const std::string& part : parts) EXPECT_THAT(result.output, testing::HasSubstr(part));
}

void expect_done(const CommandResult& result) { EXPECT_EQ(result.status, ExitStatus{ExitedWith{0}}) << result.output; }

std::vector<pid_t> pids_of(SupervisorProcess& run, std::uint64_t generation, int count) {
    std::vector<pid_t> pids;
    for (int slot = 0; slot < count; ++slot) {
        const std::string worker = std::to_string(generation) + "." + std::to_string(slot);
        pids.push_back(run.wait_for("worker_ready", of_worker(worker)).pid);
    }
    return pids;
}

void expect_clean_stop(SupervisorProcess& run) {
    EXPECT_EQ(run.stop(), ExitStatus{ExitedWith{0}});
    EXPECT_EQ(run.log().count("worker_killed"), 0U);
}

}  // namespace holdfast::test
