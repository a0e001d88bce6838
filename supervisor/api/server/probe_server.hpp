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

// What a load balancer or an orchestrator may know.
struct Readiness {
    bool is_ready = false;
    std::string because;  // a sentence; while ready what is not well all the same, mostly nothing
};

// What all clients together can make the supervisor keep: `connections` times one request (4 KiB header, no body) and
// one answer of a line; at rest 2 KiB.
struct ProbeLimits {
    std::size_t connections = 192;                 // the one that has owed us bytes for longest gives way to the next
    std::chrono::milliseconds io_timeout{10'000};  // for a whole request to arrive, for a whole answer to leave
    std::chrono::milliseconds min_idle{100};       // with all places taken, nobody gives way before
    std::chrono::milliseconds emfile_backoff{1'000};  // until accepting is tried again where there was no descriptor
};

// Health probes over HTTP/1.1, for anybody: they change nothing, and tell nothing but this.
//
//   GET, HEAD  /livez    200 while the supervisor's loop runs
//   GET, HEAD  /readyz   200; or 503, and why in a sentence
//   GET, HEAD  /healthz  the same as /readyz
//
// One thread; no timer runs unless bytes are awaited, all places are taken, or the process is out of descriptors.
class ProbeServer {
  public:
    // The listening stream sockets, TCP or unix, are owned from now on.
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
