#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace holdfast::api {

// The status as the API tells it: the manual explains each field. Times are in seconds, counted back from the answer
// (`since_s`, `age_s`, `drained_s`) or on from it (`deadline_s`, `next_attempt_s`).
struct WaitingView {
    std::string kind, name;
    double age_s = 0;
};

struct HeldView {
    std::string kind;
    std::uint64_t count = 0;  // of them `waiting` names the oldest
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
    std::optional<double> drained_s;           // everything is released since then
    std::string status, why_leaving;
    std::string recall;              // "awaited": told to accept again, and has not said yet that it does; else "none"
    std::string probe;               // how the last one failed; empty: it did not
    std::optional<double> silent_s;  // until the watchdog gives it up, where it has one
};

struct SlotView {
    std::uint64_t slot = 0;
    int crashes_in_a_row = 0;
    std::optional<double> next_attempt_s;
    std::string last_failure;             // "worker 1.0 exited with status 3"; empty: none yet
    std::vector<std::string> last_words;  // of that one
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
    std::string stage;    // "checking", "starting", "taking over", "probation", "rolling back"
    std::string failure;  // empty: none yet
    std::optional<double> deadline_s;
    int waiting = 0;  // further requests that wait for it
};

struct ServiceView {
    std::string name;
    int pid = 0;
    std::string phase, detail;
    bool mixed = false;
    int target = 0;
    std::uint64_t generation = 0, restarts = 0;
    bool ready = false;           // what /readyz says
    std::string unready_because;  // a sentence; empty while ready
    bool refusing = false;        // clients are refused: nobody serves
    std::optional<ChangeView> change;
    std::optional<double> paused_s;            // until it accepts again by itself
    std::optional<std::uint64_t> rollback_to;  // whose program `rollback` would bring
    std::vector<WorkerView> workers;
    std::vector<SlotView> slots;
    std::vector<ListenerView> listeners;
};

// What a worker wrote to its standard error last.
struct OutputView {
    std::string worker;  // "1.0"
    int pid = 0;
    std::string of;                  // "living" or "ended"
    std::vector<std::string> lines;  // oldest first
};

// A line of the log, as it is written.
struct EventView {
    std::string json;  // word for word
    std::string time, level;
    std::string event;   // a stable word; "events_dropped" where this client read too slowly
    std::string worker;  // "1.0"; empty: about none
    int pid = 0;
    std::string text;
    std::uint64_t count = 0;  // of those that were dropped
};

}  // namespace holdfast::api
