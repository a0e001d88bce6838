#pragma once

#include <holdfast/message.hpp>
#include <optional>
#include <string>
#include <vector>

#include "base/ids.hpp"
#include "base/time.hpp"
#include "core/worker_state.hpp"

namespace holdfast::core {

// Which protocol a worker uses: no message so far; sd_notify messages such as READY=1; HELLO=1 and stages.
enum class Speaks { nothing, notify, protocol };

struct WorkerStatus {
    WorkerId id;
    Generation generation;
    SlotId slot;
    int pid = 0;  // 0: not launched yet
    WorkerState state = WorkerState::starting;
    Instant since{};                  // when it entered this state
    std::optional<Instant> deadline;  // deadline of this state
    Speaks speaks = Speaks::nothing;
    bool settled = false;           // ready for at least `settle`
    std::optional<bool> accepting;  // from its last X_HOLDFAST_ACCEPTING=
    std::optional<std::uint64_t> in_flight;
    std::optional<std::uint64_t> served;
    std::vector<Waiting> waiting;  // items named in the last drain report
    std::vector<HeldCount> held;   // number of items of each kind in the last drain report
    std::optional<std::uint64_t> handed_back;
    std::optional<std::uint64_t> lost;
    std::string not_seen;               // why some of its processes cannot be seen; empty: all are
    std::optional<Instant> drained_at;  // when it reported that everything is released; it has not exited yet
    std::string text;                   // from its last STATUS=
    std::string why_leaving;            // "restart asked for by …", "crashed: …"; empty while it stays
    enum class Recall { none, awaited } recall = Recall::none;  // awaited: recalled, has not confirmed that it accepts
    std::string probe;                                          // failure of the last probe; empty: it did not fail
    std::optional<Instant> silent_until;                        // end of its watchdog timeout, if it is monitored
};

struct SlotStatus {
    SlotId slot;
    int crashes_in_a_row = 0;
    std::optional<Instant> next_attempt;  // end of the backoff
    std::string last_failure;             // "worker 1.0 exited with status 3"; empty: none yet
    std::vector<std::string> last_words;  // last lines of standard error of the worker in last_failure
};

// A change in progress, for status, progress and `why`.
struct ChangeStatus {
    std::string what;  // "restart to generation 3", "rollback to the program of generation 1", "scale to 4"
    std::string asked_by;
    std::string stage;                // "checking", "starting", "taking over", "probation", "retiring", "rolling back"
    std::string failure;              // empty: none yet
    std::optional<Instant> deadline;  // deadline of this stage, if it has one
    int waiting = 0;                  // number of requests queued behind it
};

// The last lines of a worker's standard error. Filled by the runtime.
struct LastOutput {
    std::string worker;  // "1.0"
    int pid = 0;
    enum class Of { living, ended } of = Of::living;
    std::vector<std::string> lines;  // oldest first, escaped for a terminal
};

// The state of a listener. Filled by the runtime, which owns the sockets.
struct ListenerStatus {
    std::string name;
    std::string address;  // as bound: port 0 is resolved
    int backlog = 0;
    std::uint64_t revived = 0;  // how often it was revived after a worker had shut it down
};

enum class Phase { starting, serving, rolling_out, probation, rolling_back, scaling, paused, stopping, finished };

// A copy of the complete state, for people and tools.
struct Status {
    std::string name;  // name of the service; filled by the runtime, like pid and listeners
    int pid = 0;
    Instant now{};
    Phase phase = Phase::starting;
    std::string detail;           // a sentence: "generation 3: 1 of 2 ready"
    bool ready = false;           // the result of /readyz
    std::string unready_because;  // a sentence; empty while ready
    bool refusing = false;        // new connections are refused: no worker serves
    std::optional<ChangeStatus> change;
    std::optional<Instant> paused_until;
    std::optional<Generation> rollback_to;  // target of the next rollback
    bool mixed = false;                     // workers of two generations serve after a failed rollout
    int target = 0;
    Generation generation;       // the generation that should serve
    std::uint64_t restarts = 0;  // number of crashed workers replaced since the start
    std::vector<WorkerStatus> workers;
    std::vector<SlotStatus> slots;
    std::vector<ListenerStatus> listeners;
};

}  // namespace holdfast::core
