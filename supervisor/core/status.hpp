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
};

struct SlotStatus {
    SlotId slot;
    int crashes_in_a_row = 0;
    std::optional<Instant> next_attempt;  // while it backs off
};

// Filled by the runtime, which holds the sockets.
struct ListenerStatus {
    std::string name;
    std::string address;  // as bound: port 0 is resolved
    int backlog = 0;
    std::uint64_t revived = 0;  // how often a worker's library had shut it down
};

enum class Phase { starting, serving, rolling_out, rolling_back, scaling, stopping, finished };

// The whole state for people and tools: plain data, a copy.
struct Status {
    std::string name;  // of the service; filled by the runtime, like pid and listeners
    int pid = 0;
    Instant now{};
    Phase phase = Phase::starting;
    std::string detail;  // a sentence: "generation 3: 1 of 2 ready"
    bool mixed = false;  // workers of two generations serve after a failed rollout
    int target = 0;
    Generation generation;       // the one that should serve
    std::uint64_t restarts = 0;  // crashes replaced since the start
    std::vector<WorkerStatus> workers;
    std::vector<SlotStatus> slots;
    std::vector<ListenerStatus> listeners;
};

}  // namespace holdfast::core
