#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace holdfast::api {

// The status as the API reports it; holdfast(1) documents each field. Times are in seconds: since_s, age_s and
// drained_s count back from the time of the response, deadline_s, next_attempt_s, paused_s and silent_s forward from
// it.
struct WaitingView {
    std::string kind, name;
    double age_s = 0;
};

struct HeldView {
    std::string kind;
    std::uint64_t count = 0;  // all of this kind; WorkerView::waiting lists only the oldest
};

struct WorkerView {
    std::string worker;  // "<generation>.<slot>"
    std::uint64_t generation = 0, slot = 0;
    int pid = 0;
    std::string state;
    double since_s = 0;
    std::optional<double> deadline_s;
    std::string speaks;
    bool settled = false;
    std::optional<bool> accepting;
    std::optional<std::uint64_t> in_flight, served;
    std::vector<WaitingView> waiting;
    std::vector<HeldView> held;
    std::optional<std::uint64_t> handed_back;  // items of work
    std::optional<std::uint64_t> lost;         // items of work whose hand-back failed
    std::string not_seen;                      // why some of its processes cannot be seen
    std::optional<double> drained_s;           // since it reported that everything is released
    std::string status, why_leaving;
    std::string recall;              // "awaited": asked to accept again, not confirmed yet; else "none"
    std::string probe;               // failure of the last readiness probe; empty: none
    std::optional<double> silent_s;  // until the watchdog expires, if there is one
};

struct SlotView {
    std::uint64_t slot = 0;
    int crashes_in_a_row = 0;
    std::optional<double> next_attempt_s;
    std::string last_failure;             // "worker 1.0 exited with status 3"; empty: none
    std::vector<std::string> last_words;  // last lines of standard error of the worker that failed
};

struct ListenerView {
    std::string name, address;
    int backlog = 0;
    std::uint64_t revived = 0;
};

// A change under way.
struct ChangeView {
    std::string what;  // "restart to generation 3"
    std::string asked_by;
    std::string stage;    // "checking", "starting", "taking over", "probation", "retiring", "rolling back"
    std::string failure;  // why it has failed; empty: it has not
    std::optional<double> deadline_s;
    int waiting = 0;  // number of requests queued behind it
};

struct ServiceView {
    std::string name;
    int pid = 0;
    std::string phase, detail;
    bool mixed = false;
    int target = 0;
    std::uint64_t generation = 0, restarts = 0;
    bool ready = false;           // the result of /readyz
    std::string unready_because;  // a sentence; empty while ready
    bool refusing = false;        // new connections are refused, because no worker serves
    std::optional<ChangeView> change;
    std::optional<double> paused_s;            // until the pause ends by itself
    std::optional<std::uint64_t> rollback_to;  // the generation whose program `rollback` would start
    std::vector<WorkerView> workers;
    std::vector<SlotView> slots;
    std::vector<ListenerView> listeners;
};

// The last lines that a worker wrote to standard error.
struct OutputView {
    std::string worker;  // "1.0"
    int pid = 0;
    std::string of;                  // "living" or "ended": whether the worker still runs
    std::vector<std::string> lines;  // oldest first
};

// An event of the stream: one line of the log.
struct EventView {
    std::string json;  // the event as the supervisor sent it
    std::string time, level;
    std::string event;   // a stable word; "events_dropped" if this client read too slowly
    std::string worker;  // "1.0"; empty if the event does not concern a worker
    int pid = 0;
    std::string text;
    std::uint64_t count = 0;  // of events_dropped
};

}  // namespace holdfast::api
