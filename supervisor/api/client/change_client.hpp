#pragma once

#include <functional>
#include <string>
#include <vector>

#include "api/client/views.hpp"
#include "base/result.hpp"
#include "base/time.hpp"

namespace holdfast::api {

// A supervisor that answered.
struct Service {
    std::string directory;    // its runtime directory; api.sock lies in it
    std::string status_json;  // its status, word for word
    ServiceView status;
};

// A change that can be asked for.
struct ChangeRequest {
    enum class Kind { restart, stop, scale, rollback, undo, pause, resume, reload };
    Kind kind = Kind::restart;
    int workers = 0;  // scale
};

enum class Wait { for_outcome, no };

// The outcome of a change. `result` is done, failed, mixed, superseded, interrupted, undone or refused; accepted if
// nobody waits for it.
struct ChangeOutcome {
    std::string result;
    std::string text;
    std::vector<std::string> last_words;
    int exit_code = 0;
    std::string json;  // all of it, word for word
};

// What somebody who waits wants to hear meanwhile. An empty function is not called; all are called in the thread that
// waits, one at a time.
struct ProgressCallbacks {
    std::function<void(const EventView&)> on_event;
    // The status as it is every `poll_interval`. A supervisor that takes its time is asked no second time meanwhile.
    std::function<void(const ServiceView&)> on_status;
    // Every `poll_interval`, whether a status came or not: for what moves on a terminal.
    std::function<void()> on_tick;
    Duration poll_interval = std::chrono::milliseconds(250);
    // The status with its JSON, at the same times.
    std::function<void(const Service&)> on_service{};
    // Gets readable when the caller wants to wait no longer; it is neither read nor closed. -1: never.
    int cancel_fd = -1;
};

// Asks for a change and blocks until its outcome is known, like send_change(); what happens meanwhile is heard. Events
// are followed before the change is asked for, so that none of it is missed; where they cannot be followed the change
// is carried out unheard. Given up, it is an error: EINTR where the change goes on, ECANCELED where it was not asked
// for yet.
Result<ChangeOutcome> perform_change(const Service& service, const ChangeRequest& request,
                                     const ProgressCallbacks& callbacks);

// Asks for nothing and blocks until the supervisor ends, which is no error, or the caller gives up: EINTR. The status
// is heard at once, after events, at most every `poll_interval`, and every second while a change is under way or a
// worker leaves: what they wait for makes no events. At rest nothing is asked.
Result<void> watch_status(const Service& service, const ProgressCallbacks& callbacks);

}  // namespace holdfast::api
