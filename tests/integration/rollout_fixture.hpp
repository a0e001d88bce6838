#pragma once

#include <cstdint>
#include <initializer_list>
#include <set>
#include <string>
#include <vector>

#include "harness.hpp"

namespace holdfast::test {

// A service on loopback with periods that a test can wait for.
RunOptions quick_service(int workers, std::vector<std::string> command);

// hello-http, but the workers GENERATION.SLOT that fit the pattern of the shell run `script` before, or instead.
std::vector<std::string> hello_except(const std::string& which, const std::string& script);
// Words of shell that become a worker that says HELLO=1 and does what `options` of stubborn say. It accepts nothing.
std::string protocol_worker(const std::string& options);

// Clients of both kinds at once, for as long as this lives: on fresh connections, and on those that are kept for less
// than the server promises.
class Clients {
  public:
    explicit Clients(const std::string& address);
    // Until both kinds have had more answers.
    void wait_for_more();
    std::uint64_t failed() const { return fresh_.failed() + kept_.failed(); }
    // They end; nobody has lost anything. Returns the generations that answered.
    std::set<std::uint64_t> expect_nothing_lost();
    // They end, after the service or the address has: whom it refused had just come; what it had begun, and whom it had
    // kept, it answered. Returns when it lost the first one, on the log's clock.
    std::int64_t expect_only_refusals();

  private:
    std::vector<LoadReport> stop();

    BackgroundLoad fresh_, kept_;
};

// Shut at first: who runs `wait_command()` waits there until it is opened.
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

// The command did not do what was asked for, and said all of this.
void expect_failed(const CommandResult& result, std::initializer_list<std::string> words);
void expect_done(const CommandResult& result);

// The pids of the workers GENERATION.0 … GENERATION.(count-1), as they got ready first.
std::vector<pid_t> pids_of(SupervisorProcess& run, std::uint64_t generation, int count);

// The service stops with status 0 and had to kill nobody.
void expect_clean_stop(SupervisorProcess& run);

}  // namespace holdfast::test
