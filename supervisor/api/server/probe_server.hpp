#pragma once

#include <boost/asio/any_io_executor.hpp>
#include <chrono>
#include <cstddef>
#include <functional>
#include <memory>
#include <string>
#include <vector>

namespace holdfast::api {

class ConnectionManager;

// The result of a readiness probe by a load balancer or an orchestrator.
struct Readiness {
    bool is_ready = false;
    std::string because;  // a sentence: why it is not ready; while ready a warning, usually empty
};

// Resource limits. The memory that all clients together can use is bounded by `connections` times one request (4 KiB
// header, no body) and a response of one line; an idle connection takes 2 KiB.
struct ProbeLimits {
    std::size_t connections = 192;  // at the limit, a new connection evicts the one that has been idle longest
    std::chrono::milliseconds io_timeout{10'000};     // to receive a complete request, and to send a complete response
    std::chrono::milliseconds min_idle{100};          // a connection that has been idle for less is never evicted
    std::chrono::milliseconds emfile_backoff{1'000};  // delay before accepting again after EMFILE
};

// Serves health probes over HTTP/1.1. Any client may connect: probes change nothing and disclose only the readiness.
//
//   GET, HEAD  /livez    200 while the supervisor's event loop runs
//   GET, HEAD  /readyz   200, or 503 and the reason in a sentence
//   GET, HEAD  /healthz  the same as /readyz
//
// Not thread-safe: use from the executor's thread. A timer runs only while a request or a response is in transfer, at
// the connection limit, and after EMFILE.
class ProbeServer {
  public:
    // Takes ownership of the listening stream sockets, TCP or unix.
    ProbeServer(boost::asio::any_io_executor executor, const std::vector<int>& listening_fds,
                std::function<Readiness()> readiness, ProbeLimits limits = {});
    // Closes everything at once.
    ~ProbeServer();
    ProbeServer(const ProbeServer&) = delete;
    ProbeServer& operator=(const ProbeServer&) = delete;

  private:
    std::shared_ptr<ConnectionManager> connection_manager_;
};

}  // namespace holdfast::api
