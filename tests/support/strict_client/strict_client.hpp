#pragma once

#include <atomic>
#include <condition_variable>
#include <cstdint>
#include <mutex>
#include <optional>
#include <string>

#include "load_report.hpp"
#include "server_address.hpp"

namespace holdfast::test {

enum class Connections { fresh, keep_alive };

struct LoadOptions {
    std::string label = "load";
    ServerAddress server;
    Connections connections = Connections::fresh;
    int clients = 8;                     // maximum number of requests in flight; each client waits for its response
    std::string path = "/";              // "{0..500}" is replaced by a random number in that range for each request
    std::optional<std::string> body;     // POST with this body; else GET
    Duration pause_low{}, pause_high{};  // pause of a client between two requests, uniformly distributed
    double rate = 0;                     // maximum requests per second of all clients together; 0: unlimited
    // One-way latency of an emulated network on reused connections: what the client sees of a connection is this old,
    // and what it sends arrives this late. On loopback alone, a server that closes slightly too early would hardly ever
    // be detected.
    Duration latency{};
    // How long the server promises to wait for the next request. A request after a longer pause that is lost is counted
    // separately.
    std::optional<Duration> promised_idle;
    Duration connect_timeout = std::chrono::seconds(10);
    Duration timeout = std::chrono::seconds(30);  // from the start of the request to the last byte of the response
    std::optional<Duration> duration;             // none: until it is stopped
    std::optional<std::uint64_t> requests;        // none: unlimited
    std::uint64_t seed = 1;
};

// Progress of a running load; may be used from any thread.
class LoadProgress {
  public:
    void add_sent() { add(sent_); }
    void add_success() { add(succeeded_); }
    void add_failure() { add(failed_); }
    std::uint64_t succeeded() const { return succeeded_; }
    std::uint64_t failed() const { return failed_; }
    std::uint64_t sent() const { return sent_; }  // requests written to the kernel completely
    // False if the count was not reached within the deadline.
    bool wait_for_successes(std::uint64_t count, Duration deadline);
    bool wait_for_sent(std::uint64_t count, Duration deadline);

  private:
    void add(std::atomic<std::uint64_t>& counter);

    std::atomic<std::uint64_t> sent_{0};
    std::atomic<std::uint64_t> succeeded_{0};
    std::atomic<std::uint64_t> failed_{0};
    std::mutex mutex_;
    std::condition_variable changed_;
};

// Sends requests to a server and never retries; every failure is counted by its class. Ends when the duration or the
// number of requests is reached, or when `stop_fd` (-1: none) becomes readable; then waits for the requests in flight.
// Closes connections with a reset, so that no port stays in TIME_WAIT.
LoadReport run_load(const LoadOptions& options, int stop_fd, LoadProgress& progress);

}  // namespace holdfast::test
