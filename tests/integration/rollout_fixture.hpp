#pragma once

#include <cstdint>
#include <initializer_list>
#include <set>
#include <string>
#include <vector>

#include "harness.hpp"

namespace holdfast::test {

// A service on loopback with periods that are short enough for tests.
RunOptions quick_service(int workers, std::vector<std::string> command);

// hello-http, except that the workers GENERATION.SLOT that match the shell pattern `which` first run `script`, which
// may also replace hello-http.
std::vector<std::string> hello_except(const std::string& which, const std::string& script);
// A shell command that executes stubborn with these options and HELLO=1. It accepts no connections.
std::string protocol_worker(const std::string& options);

// Two loads that run as long as this object exists: clients with a new connection for each request, and clients with
// keep-alive connections whose pauses are shorter than the server promises to wait.
class Clients {
  public:
    explicit Clients(const std::string& address);
    // Waits until both loads have received further responses.
    void wait_for_more();
    std::uint64_t failed() const { return fresh_.failed() + kept_.failed(); }
    // Stops the loads and expects no failure. Returns the generations that answered.
    std::set<std::uint64_t> expect_nothing_lost();
    // Stops the loads after the service or its address has ended, and expects that only new connections failed:
    // requests in flight and requests on kept connections were answered. Returns the time of the first failure, on the
    // clock of the log.
    std::int64_t expect_only_refusals();

  private:
    std::vector<LoadReport> stop();

    BackgroundLoad fresh_, kept_;
};

// A gate for processes. It is closed at first: `wait_command()` blocks the process that runs it until the gate is
// opened.
class Gate {
  public:
    Gate();
    ~Gate();
    Gate(const Gate&) = delete;
    Gate& operator=(const Gate&) = delete;

    std::string wait_command() const;
    void open();

  private:
    TemporaryDirectory directory_;
    int lock_fd_;
};

// The command failed with exit status 1, and its output contains all of these.
void expect_failed(const CommandResult& result, std::initializer_list<std::string> parts);
void expect_done(const CommandResult& result);

// The pids of the workers GENERATION.0 … GENERATION.(count-1) when they became ready for the first time.
std::vector<pid_t> pids_of(SupervisorProcess& run, std::uint64_t generation, int count);

// Stops the service and expects status 0 and that no worker was killed.
void expect_clean_stop(SupervisorProcess& run);

}  // namespace holdfast::test
