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
    HealthSettings health;
};

// The first generation: one deadline for all its workers.
struct FirstGeneration {
    Instant deadline{};
    Instant last_possible{};  // of that deadline, with all extensions
};

// A restart under way. Forward, `next` takes the place of `former`; after a failure `former` takes its place back.
struct Rollout {
    enum class Direction { forward, back };
    enum class Kind { restart, rollback, reload };
    // Of the way forward. launching: until the new ones have settled and the old ones have made room; probation: the
    // old ones can be had back; retiring: they end.
    enum class Stage { preparing, launching, probation, retiring };
    Kind kind = Kind::restart;
    Stage stage = Stage::preparing;
    std::vector<RequestId> askers;
    std::string asked_by;
    Origin former, next;
    PlanId plan;                          // reload
    std::optional<Policy> former_policy;  // reload: to go back to
    Instant preparing_until = never;
    Instant probation_until = never;
    std::string undone_by;               // who took it back; empty: nobody
    std::vector<RequestId> undo_askers;  // answered when the former generation serves again
    Direction direction = Direction::forward;
    bool committed = false;                 // the first old worker was told to pause or to leave
    bool was_ready = false;                 // all new ones were, once
    Instant deadline = never;               // back: answered by then, whatever could be brought back
    std::string failure;                    // what made it fail
    std::optional<WorkerId> failed_worker;  // whose last words are quoted when it exits
    std::vector<std::string> last_words;    // its last words
    std::vector<std::string> killed;        // names of old workers that had to be killed
};

// Everything stands still on an operator's word.
struct ServicePause {
    std::string asked_by;
    Instant until{};
};

// A change of the target under way; or, after a stop that was undone, the way back to it.
struct Scaling {
    enum class Kind { scale, undo_of_stop };
    Kind kind = Kind::scale;
    std::vector<RequestId> askers;
    std::string asked_by;
    int from = 0;
    Instant deadline{};  // all slots are ready by then, or it failed
    std::string before;  // what a reload had done before this: goes before the answer
};

// A change that waits for its turn: at most one restart and one scale, in the order of asking.
struct PendingChange {
    enum class Kind { restart, rollback, reload, scale };
    Kind kind = Kind::restart;
    std::vector<RequestId> askers;
    std::string asked_by;
    int target = 0;                // scale
    std::optional<Reload> reload;  // reload
};

// The end of everything: a stop, or a first generation that did not get ready.
struct Shutdown {
    enum class Cause { stop, first_generation_failed };
    Cause cause = Cause::stop;
    int exit_code = 0;
    Instant last_accepted{};  // of the stops that moved something
    std::vector<RequestId> askers;
    std::string why;
};

// What the service manager above us was told last.
struct ManagerNotified {
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
    std::vector<Origin> rollback_targets;  // served before `serving`, the last one last: what rollbacks bring back
    std::uint64_t last_worker = 0;
    std::uint64_t last_generation = 0;
    std::uint64_t last_spec = 0;
    std::uint64_t crashes_replaced = 0;
    bool anybody_spoke = false;  // a worker of this service said HELLO or READY=1: silence means not ready
    bool logged_ready_by_time = false;
    bool logged_unwatched = false;  // that a worker says nothing a watchdog could hear
    bool logged_refusing = false;   // that nobody serves, since somebody did
    bool finished = false;
    Admission admission = Admission::accept;
    Admission removed_listener_admission = Admission::accept;  // SetRemovedListenerAdmission
    bool may_hold_removed_listeners = false;                   // a rollout began since ServeWith
    bool has_served = false;                                   // the first generation got ready
    Generation settled;                     // the last one of which all workers had settled, for the ledger
    std::optional<Instant> unserved_since;  // nobody is ready
    std::optional<ServicePause> pause;
    Duration awake{};  // how long the supervisor could hear, at most `max_counted_gap` a step
    std::optional<Instant> last_step;

    std::map<WorkerId, Worker> workers;
    std::vector<Slot> slots;          // at least `target`
    std::vector<LaunchSpecId> specs;  // that the runtime may hold open

    // At most one of the first three at a time; a shutdown clears them all.
    std::optional<FirstGeneration> first_generation;
    std::optional<Rollout> rollout;
    std::optional<Scaling> scaling;
    std::vector<PendingChange> pending;
    std::optional<Shutdown> shutdown;

    ManagerNotified manager;
    TransitionCounts transition_counts{};
};

}  // namespace holdfast::core
