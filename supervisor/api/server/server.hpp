#pragma once

#include <sys/types.h>

#include <boost/asio/any_io_executor.hpp>
#include <chrono>
#include <cstddef>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "core/request.hpp"
#include "core/status.hpp"

namespace holdfast::api {

// Submits a request to the supervisor. `answer` is never empty. It is called at most once, on the server's executor:
// before Ask returns, at any later time, or never if the supervisor ends before the outcome is known.
using Ask = std::function<void(core::Request request, std::function<void(core::Outcome)> answer)>;

// Returns the current state.
using Snapshot = std::function<core::Status()>;

// The functions of the supervisor that the server calls, all of them on the server's executor.
struct Backend {
    Ask ask;
    Snapshot snapshot;
    // Reads the configuration again and applies its changes.
    std::function<void(std::string asked_by, std::function<void(core::Outcome)> answer)> reload;
    // Reports what a reload would change, and changes nothing.
    std::function<core::Outcome()> preview_reload;
    std::function<std::vector<std::string>()> history;  // JSON objects, oldest first
    std::function<std::vector<core::LastOutput>()> last_output;
    // Calls `on_event` with each event, a JSON object, until the returned handle is destroyed.
    std::function<std::shared_ptr<void>(std::function<void(std::string_view)> on_event)> follow_events;
};

// Resource limits of the server. Tests use lower ones.
//
// The memory that all clients together can use is bounded by: `connections` times one request (8 KiB header, 64 KiB
// body, each held both in the buffer and parsed, so 150 KiB at most); `max_unread_bytes` of responses, or one response
// if it is larger; `event_streams` times two queues; and 2 KiB for each connection that is idle or waits for an
// outcome.
struct Limits {
    std::size_t connections = 64;  // that receive or send; at the limit the longest idle one is evicted
    std::size_t max_unread_bytes = 8 * 1024 * 1024;  // buffered responses; at the limit the slowest reader is closed
    std::size_t waiting = 128;           // connections that wait for an outcome; as many more for stop and undo
    std::size_t pending_changes = 1024;  // without an outcome, waited for or not; as many more for stop and undo
    std::size_t event_streams = 16;      // at the limit a new stream evicts a stalled one
    std::size_t event_queue_bytes = 256 * 1024;       // per event stream
    std::chrono::milliseconds io_timeout{10'000};     // to receive a complete request, and to send a complete response
    std::chrono::milliseconds min_idle{100};          // a connection that has been idle for less is never evicted
    std::chrono::milliseconds emfile_backoff{1'000};  // delay before accepting again after EMFILE
    std::chrono::milliseconds close_timeout{1'000};   // of close_when_answered()
};

// The API server: HTTP/1.1 and JSON over a unix socket. Only the supervisor's own user and root are authorized
// (SO_PEERCRED).
//
//   GET  /v1/status   /v1/reload (what a reload would change)   /v1/history?limit=N   /v1/logs?worker=1.0
//        /v1/why?worker=1.0   /v1/events (server-sent events)
//   POST /v1/restart   /v1/stop   /v1/scale {"workers": N}   /v1/reload   /v1/rollback   /v1/undo   /v1/pause
//        /v1/resume
//
// An unknown worker is answered with 404 and a sentence that says what is known about it.
//
// The response to a POST is the outcome of the change, however long that takes; with ?wait=no it is 202 at once. HTTP
// status of an outcome: 200 for done, 500 for failed and mixed, 409 for superseded, interrupted, undone and refused.
// 503 means that too many changes are pending or waited for; the change was not submitted.
//
// Not thread-safe: use from the executor's thread. Nothing is polled. A timer runs only while a request or a response
// is in transfer, at the connection limit, after EMFILE, and while the server is closing.
class Server {
  public:
    // `listening_fd`: a bound and listening unix stream socket. The server owns it; the caller removes its path.
    // `our_uid`: the user that is authorized, besides root.
    Server(boost::asio::any_io_executor executor, int listening_fd, uid_t our_uid, Backend backend, Limits limits = {});
    // Closes everything at once. Answers that arrive later are dropped.
    ~Server();
    Server(const Server&) = delete;
    Server& operator=(const Server&) = delete;

    // Stops accepting, waits until pending responses have been written, closes everything and calls `done`: after
    // close_timeout (1 s) at the latest, and never from within this call. The outcome of a stop must have been answered
    // before this is called.
    void close_when_answered(std::function<void()> done);

  private:
    class Handlers;
    std::shared_ptr<Handlers> handlers_;
};

}  // namespace holdfast::api
