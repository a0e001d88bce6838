#pragma once

#include <functional>
#include <string>
#include <vector>

#include "api/client/views.hpp"
#include "base/result.hpp"
#include "base/time.hpp"

namespace holdfast::api {

// A running supervisor and its status.
struct Service {
    std::string directory;    // runtime directory; contains api.sock
    std::string status_json;  // the status as the supervisor sent it
    ServiceView status;
};

// A change to request from a supervisor.
struct ChangeRequest {
    enum class Kind { restart, stop, scale, rollback, undo, pause, resume, reload };
    Kind kind = Kind::restart;
    int workers = 0;  // scale
};

enum class Wait { for_outcome, no };

// The outcome of a change. `result` is done, failed, mixed, superseded, interrupted, undone or refused; with Wait::no
// it is accepted.
struct ChangeOutcome {
    std::string result;
    std::string text;
    std::vector<std::string> last_words;
    int exit_code = 0;
    std::string json;  // the outcome as the supervisor sent it
};

// Callbacks of a blocking call. All are called on the thread of that call, one at a time. An empty function is not
// called.
struct ProgressCallbacks {
    std::function<void(const EventView&)> on_event;
    // The status, polled every `poll_interval`. A poll is skipped while the previous one is pending.
    std::function<void(const ServiceView&)> on_status;
    // Every `poll_interval`, whether a status has arrived or not; for animation on a terminal.
    std::function<void()> on_tick;
    Duration poll_interval = std::chrono::milliseconds(250);
    // Like on_status, with the JSON of the status.
    std::function<void(const Service&)> on_service{};
    // Cancels the call when it becomes readable. It is neither read nor closed. -1: none.
    int cancel_fd = -1;
};

// Requests a change and blocks until its outcome is known, like send_change(), and reports the progress. The event
// stream is opened before the change is requested, so that no event of the change is missed; if it cannot be opened,
// the change is performed without events. A cancelled call returns EINTR if the change continues, ECANCELED if it was
// not requested yet.
Result<ChangeOutcome> perform_change(const Service& service, const ChangeRequest& request,
                                     const ProgressCallbacks& callbacks);

// Reports the status until the supervisor ends, which is not an error, or until the call is cancelled (EINTR). The
// status is fetched at once, after each event but at most every `poll_interval`, and every second while a change is
// under way or a worker is leaving, because the work that they wait for produces no events. Otherwise the supervisor is
// not polled.
Result<void> watch_status(const Service& service, const ProgressCallbacks& callbacks);

}  // namespace holdfast::api
