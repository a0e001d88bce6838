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

// Asks the supervisor for something. `answer` is never empty; it is called at most once, on the server's executor, at
// any time: before Ask returns, much later, or never where nothing will be answered any more.
using Ask = std::function<void(core::Request request, std::function<void(core::Outcome)> answer)>;

// The state as it is now.
using Snapshot = std::function<core::Status()>;

// What the server may do with the supervisor. Each is called on the server's executor.
struct Backend {
    Ask ask;
    Snapshot snapshot;
    // Reads the configuration again and carries out what it changes; or says what that would be, and touches nothing.
    std::function<void(std::string asked_by, std::function<void(core::Outcome)> answer)> reload;
    std::function<core::Outcome()> preview_reload;
    std::function<std::vector<std::string>()> history;  // JSON objects, oldest first
    std::function<std::vector<core::LastOutput>()> last_output;
    // `on_event` is called with each event, a JSON object, until the handle ends.
    std::function<std::shared_ptr<void>(std::function<void(std::string_view)> on_event)> follow_events;
};

// What the server allows. Tests make it less.
//
// What all clients together can make the supervisor keep: `connections` times one request (8 KiB header, 64 KiB body,
// both in a buffer and in pieces, so 150 KiB at most); `max_unread_bytes` of answers, or one answer if it is longer;
// `event_streams` times two queues; and 2 KiB for each connection that is at rest or waits for an outcome.
struct Limits {
    std::size_t connections = 64;                    // that owe us a request, or do not read their answer
    std::size_t max_unread_bytes = 8 * 1024 * 1024;  // of answers; who has not read his for longest gives way
    std::size_t waiting = 128;                       // for an outcome; and as many more for that of a stop or an undo
    std::size_t pending_changes = 1024;  // changes without an outcome, waited for or not; stop and undo: as many more
    std::size_t event_streams = 16;      // one whose client does not read gives way to a new one
    std::size_t event_queue_bytes = 256 * 1024;
    std::chrono::milliseconds io_timeout{10'000};     // for a whole request to arrive, for a whole answer to leave
    std::chrono::milliseconds min_idle{100};          // with all places taken, nobody gives way to a newcomer before
    std::chrono::milliseconds emfile_backoff{1'000};  // until accepting is tried again where there was no descriptor
    std::chrono::milliseconds close_timeout{1'000};
};

// The API: HTTP/1.1 and JSON over a unix socket, for the supervisor's own user and for root (SO_PEERCRED).
//
//   GET  /v1/status   /v1/reload (what it would change)   /v1/history?limit=N   /v1/logs?worker=1.0
//        /v1/why?worker=1.0   /v1/events (server-sent events)
//   POST /v1/restart   /v1/stop   /v1/scale {"workers": N}   /v1/reload   /v1/rollback   /v1/undo   /v1/pause
//   /v1/resume
//
// A worker that is not there is 404, with what is known of it.
//
// Each POST is answered with its outcome, however long that takes; with ?wait=no at once with 202. What the outcome
// is in HTTP: done 200, failed and mixed 500, superseded, interrupted, undone and refused 409; 503 where too many wait:
// then nothing was asked for.
//
// One thread: all functions are called on the executor's. Nothing is polled, and no timer runs unless bytes of a
// request are awaited, all places are taken, the process is out of descriptors, or the server is closing.
class Server {
  public:
    // `listening_fd`: a bound and listening unix stream socket, owned from now on; its path stays the caller's.
    // `our_uid`: who may ask, beside root.
    Server(boost::asio::any_io_executor executor, int listening_fd, uid_t our_uid, Backend backend, Limits limits = {});
    // Closes everything at once; answers that come later are dropped.
    ~Server();
    Server(const Server&) = delete;
    Server& operator=(const Server&) = delete;

    // Accepts nothing more, lets the answers that are under way reach their askers, closes everything, then calls
    // `done`, after 1 s at the latest; never from within this call. The answer of a stop has been given before this is
    // called.
    void close_when_answered(std::function<void()> done);

  private:
    class Handlers;
    std::shared_ptr<Handlers> handlers_;
};

}  // namespace holdfast::api
