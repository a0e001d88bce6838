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
    int clients = 8;                  // that many requests are under way at most: each client waits for its answer
    std::string path = "/";           // "{0..500}" in it becomes a random number of that range, anew for each request
    std::optional<std::string> body;  // POST with this body; else GET
    Duration pause_low{}, pause_high{};  // a client's pause between two requests, uniform
    double rate = 0;                     // requests a second of all clients together at most; 0: unbounded
    // The emulated network's, one way, on connections that are reused: what the client sees of one is so old, and what
    // it sends is so late. On loopback alone a server that closes a moment too early would hardly ever be seen.
    Duration latency{};
    // How long the server promises to wait for the next request: one that comes later and is lost is counted apart.
    std::optional<Duration> promised_idle;
    Duration connect_timeout = std::chrono::seconds(10);
    Duration timeout = std::chrono::seconds(30);  // from the request's start to the answer's last byte
    std::optional<Duration> duration;             // none: until it is stopped
    std::optional<std::uint64_t> requests;        // none: as many as fit
    std::uint64_t seed = 1;
};

// What others may watch while a load runs.
class LoadProgress {
  public:
    void add_sent() { add(sent_); }
    void add_success() { add(succeeded_); }
    void add_failure() { add(failed_); }
    std::uint64_t succeeded() const { return succeeded_; }
    std::uint64_t failed() const { return failed_; }
    std::uint64_t sent() const { return sent_; }  // requests that the kernel took wholly
    // False where that many did not come within the deadline.
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

// Loads a server and never retries: what fails is counted as it failed. A request under way when the load ends is
// waited for. Ends when the duration or the number of requests is reached or `stop_fd` (-1: none) becomes readable.
// Closes with a reset, which leaves no port in TIME_WAIT.
LoadReport run_load(const LoadOptions& options, int stop_fd, LoadProgress& progress);

}  // namespace holdfast::test
