#pragma once

#include <functional>
#include <string>
#include <vector>

#include "api/views.hpp"
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
struct Wish {
    enum class What { restart, stop, scale, rollback, undo, pause, resume, reload };
    What what = What::restart;
    int workers = 0;  // scale
};

enum class Wait { for_outcome, no };

// The outcome of a change. `result` is done, failed, mixed, superseded, interrupted, undone or refused; accepted if
// nobody waits for it.
struct Answer {
    std::string result;
    std::string text;
    std::vector<std::string> last_words;
    int exit_code = 0;
    std::string json;  // all of it, word for word
};

// What somebody who waits wants to hear meanwhile. An empty function is not called; all are called in the thread that
// waits, one at a time.
struct Ears {
    std::function<void(const EventView&)> event;
    // The status as it is every `look_every`. A supervisor that takes its time is asked no second time meanwhile.
    std::function<void(const ServiceView&)> status;
    // Every `look_every`, whether a status came or not: for what moves on a terminal.
    std::function<void()> tick;
    Duration look_every = std::chrono::milliseconds(250);
    // The status with its JSON, at the same times.
    std::function<void(const Service&)> look{};
    // Gets readable when the caller wants to wait no longer; it is neither read nor closed. -1: never.
    int give_up_fd = -1;
};

// Asks for a change and blocks until its outcome is known, like change(); what happens meanwhile is heard. Events are
// followed before the change is asked for, so that none of it is missed; where they cannot be followed the change is
// carried out unheard. Given up, it is an error: EINTR where the change goes on, ECANCELED where it was not asked for
// yet.
Result<Answer> pursue(const Service& service, const Wish& wish, const Ears& ears);

// Asks for nothing and blocks until the supervisor ends, which is no error, or the caller gives up: EINTR. The status
// is heard at once, after events, at most every `look_every`, and every second while a change is under way or a worker
// leaves: what they wait for makes no events. At rest nothing is asked.
Result<void> watch(const Service& service, const Ears& ears);

}  // namespace holdfast::api
