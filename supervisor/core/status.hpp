#pragma once

#include <holdfast/message.hpp>
#include <optional>
#include <string>
#include <vector>

#include "base/ids.hpp"
#include "base/time.hpp"
#include "core/worker_state.hpp"

namespace holdfast::core {

enum class Speaks { nothing, notify, protocol };  // silence; READY=1 and friends; HELLO=1 and stages

struct WorkerStatus {
    WorkerId id;
    Generation generation;
    SlotId slot;
    int pid = 0;  // 0: not launched yet
    WorkerState state = WorkerState::starting;
    Instant since{};                  // of this state
    std::optional<Instant> deadline;  // when it ends at the latest
    Speaks speaks = Speaks::nothing;
    bool settled = false;           // ready for at least `settle`
    std::optional<bool> accepting;  // as it said itself
    std::optional<std::uint64_t> in_flight;
    std::optional<std::uint64_t> served;
    std::vector<Waiting> waiting;  // the last drain report: what it names,
    std::vector<HeldCount> held;   // and how many of each kind there are
    std::optional<std::uint64_t> handed_back;
    std::optional<Instant> drained_at;  // it said that everything is released, and is still there
    std::string text;                   // its STATUS=
    std::string why_leaving;            // "restart asked for by …", "crashed: …"; empty while it stays
    enum class Recall { none, awaited } recall = Recall::none;  // told to accept again, has not said yet that it does
    std::string probe;                                          // how the last one failed; empty: it did not
    std::optional<Instant> silent_until;                        // the watchdog's deadline, where it has one
};

struct SlotStatus {
    SlotId slot;
    int crashes_in_a_row = 0;
    std::optional<Instant> next_attempt;  // while it backs off
    std::string last_failure;             // "worker 1.0 exited with status 3"; empty: none yet
    std::vector<std::string> last_words;  // of that one
};

// A change under way, for status, progress and `why`.
struct ChangeStatus {
    std::string what;  // "restart to generation 3", "rollback to the program of generation 1", "scale to 4"
    std::string asked_by;
    std::string stage;                // "checking", "starting", "taking over", "probation", "retiring", "rolling back"
    std::string failure;              // empty: none yet
    std::optional<Instant> deadline;  // of this stage, where it has one of its own
    int waiting = 0;                  // further requests that wait for it
};

// What a worker wrote to its standard error last. Filled by the runtime.
struct LastOutput {
    std::string worker;  // "1.0"
    int pid = 0;
    enum class Of { living, ended } of = Of::living;
    std::vector<std::string> lines;  // oldest first, escaped for a terminal
};

// Filled by the runtime, which holds the sockets.
struct ListenerStatus {
    std::string name;
    std::string address;  // as bound: port 0 is resolved
    int backlog = 0;
    std::uint64_t revived = 0;  // how often a worker's library had shut it down
};

enum class Phase { starting, serving, rolling_out, probation, rolling_back, scaling, paused, stopping, finished };

// The whole state for people and tools: plain data, a copy.
struct Status {
    std::string name;  // of the service; filled by the runtime, like pid and listeners
    int pid = 0;
    Instant now{};
    Phase phase = Phase::starting;
    std::string detail;           // a sentence: "generation 3: 1 of 2 ready"
    bool ready = false;           // what /readyz says
    std::string unready_because;  // a sentence; empty while ready
    bool refusing = false;        // clients are refused: nobody serves
    std::optional<ChangeStatus> change;
    std::optional<Instant> paused_until;
    std::optional<Generation> rollback_to;  // whose program `rollback` would bring
    bool mixed = false;                     // workers of two generations serve after a failed rollout
    int target = 0;
    Generation generation;       // the one that should serve
    std::uint64_t restarts = 0;  // crashes replaced since the start
    std::vector<WorkerStatus> workers;
    std::vector<SlotStatus> slots;
    std::vector<ListenerStatus> listeners;
};

}  // namespace holdfast::core
