#pragma once

#include <sys/types.h>

#include <boost/asio/any_io_executor.hpp>
#include <chrono>
#include <cstddef>
#include <functional>
#include <memory>

#include "core/request.hpp"
#include "core/status.hpp"

namespace holdfast::api {

// Asks the supervisor for something. `answer` is never empty; it is called at most once, on the server's executor, at
// any time: before Ask returns, much later, or never where nothing will be answered any more.
using Ask = std::function<void(core::Request request, std::function<void(core::Outcome)> answer)>;

// The state as it is now.
using Snapshot = std::function<core::Status()>;

// What the server allows. Tests make them shorter.
struct Limits {
    std::size_t connections = 64;             // one more waits in the socket's backlog for a place
    std::chrono::milliseconds bytes{10'000};  // for a whole request to arrive, for a whole answer to leave
    std::chrono::milliseconds pause{1'000};   // until accepting is tried again where there was no descriptor
    std::chrono::milliseconds closing{1'000};
};

// The API: HTTP/1.1 and JSON over a unix socket, for the supervisor's own user and for root (SO_PEERCRED).
//
//   GET  /v1/status
//   POST /v1/restart   POST /v1/stop   POST /v1/scale {"workers": N}
//
// Each POST is answered with its outcome, however long that takes; with ?wait=no at once with 202. What the outcome
// is in HTTP: done 200, failed and mixed 500, superseded, interrupted and refused 409.
//
// One thread: all functions are called on the executor's. Nothing is polled, and no timer runs unless bytes of a
// request are awaited, the process is out of descriptors, or the server is closing.
class Server {
  public:
    // `listening_fd`: a bound and listening unix stream socket, owned from now on; its path stays the caller's.
    // `our_uid`: who may ask, beside root.
    Server(boost::asio::any_io_executor executor, int listening_fd, uid_t our_uid, Ask ask, Snapshot snapshot,
           Limits limits = {});
    // Closes everything at once; answers that come later are dropped.
    ~Server();
    Server(const Server&) = delete;
    Server& operator=(const Server&) = delete;

    // Accepts nothing more, lets the answers that are under way reach their askers, closes everything, then calls
    // `done`, after 1 s at the latest; never from within this call. The answer of a stop has been given before this is
    // called.
    void close_when_answered(std::function<void()> done);

  private:
    class Acceptor;
    std::shared_ptr<Acceptor> acceptor_;
};

}  // namespace holdfast::api
