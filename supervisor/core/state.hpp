#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "base/ids.hpp"
#include "base/time.hpp"
#include "core/action.hpp"
#include "core/backoff.hpp"
#include "core/policy.hpp"
#include "core/slot.hpp"
#include "core/worker.hpp"

namespace holdfast::core {

// A generation and what it is launched from.
struct Origin {
    Generation generation;
    LaunchSpecId spec;
};

// The first generation: one deadline for all its workers.
struct FirstGeneration {
    Instant deadline{};
    Instant last_possible{};  // of that deadline, with all extensions
};

// A restart under way. Forward, `next` takes the place of `former`; after a failure `former` takes its place back.
struct Rollout {
    enum class Direction { forward, back };
    RequestId asker;
    std::string asked_by;
    Origin former, next;
    Direction direction = Direction::forward;
    bool committed = false;               // the first old worker was told to leave
    Instant deadline = never;             // back: answered by then, whatever could be brought back
    std::string failure;                  // what made it fail
    std::optional<WorkerId> to_blame;     // whose last words are quoted when it exits
    std::vector<std::string> last_words;  // its last words
    std::vector<std::string> killed;      // names of old workers that had to be killed
};

// A change of the target under way.
struct Scaling {
    RequestId asker;
    std::string asked_by;
    int from = 0;
    Instant deadline{};  // all slots are ready by then, or it failed
};

// A change that waits for its turn: at most one restart and one scale, in the order of asking.
struct PendingChange {
    enum class Kind { restart, scale };
    Kind kind = Kind::restart;
    RequestId asker;
    std::string asked_by;
    int target = 0;  // scale
};

// The end of everything: a stop, or a first generation that did not get ready.
struct Ending {
    enum class Cause { stop, first_generation_failed };
    Cause cause = Cause::stop;
    int exit_code = 0;
    Instant last_accepted{};  // of the stops that moved something
    std::vector<RequestId> askers;
    std::string why;
};

// What the service manager above us was told last.
struct ManagerTold {
    std::string status;
    Instant until{};  // it waits for us until then
    std::optional<Instant> at;
    bool progress = false;  // since then
};

// The whole state, plain data: what a successor of the supervisor would have to be given. Ordered containers
// throughout, so that the same events give the same actions.
struct State {
    Policy policy;
    Random random;
    int target = 0;
    Origin serving;  // the generation that should serve; a rollout's next one only once it is done
    std::uint64_t last_worker = 0;
    std::uint64_t last_generation = 0;
    std::uint64_t last_spec = 0;
    std::uint64_t crashes_replaced = 0;
    bool anybody_spoke = false;  // a worker of this service said HELLO or READY=1: silence means not ready
    bool told_ready_by_time = false;
    bool finished = false;
    Doors doors = Doors::accept;

    std::map<WorkerId, Worker> workers;
    std::vector<Slot> slots;          // at least `target`
    std::vector<LaunchSpecId> specs;  // that the runtime may hold open

    // At most one of the first three at a time; an ending clears them all.
    std::optional<FirstGeneration> first_generation;
    std::optional<Rollout> rollout;
    std::optional<Scaling> scaling;
    std::vector<PendingChange> pending;
    std::optional<Ending> ending;

    ManagerTold manager;
    Visits visits{};
};

}  // namespace holdfast::core
