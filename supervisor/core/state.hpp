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

// A generation, the launch spec it is launched from, and its health settings.
struct Origin {
    Generation generation;
    LaunchSpecId spec;
    HealthSettings health;
};

// The start of the first generation. All its workers share one deadline.
struct FirstGeneration {
    Instant deadline{};
    Instant last_possible{};  // the deadline with all extensions granted
};

// A rollout in progress. Forward: `next` replaces `former`. Back, after a failure: `former` replaces `next`.
struct Rollout {
    enum class Direction { forward, back };
    enum class Kind { restart, rollback, reload };
    // The stages of the forward direction. launching: until the new workers have settled and the old ones have made
    // room; probation: a rollback to the old workers is possible; retiring: the old workers terminate.
    enum class Stage { preparing, launching, probation, retiring };
    Kind kind = Kind::restart;
    Stage stage = Stage::preparing;
    std::vector<RequestId> askers;
    std::string asked_by;
    Origin former, next;
    PlanId plan;                          // reload
    std::optional<Policy> former_policy;  // reload: restored by a rollback
    Instant preparing_until = never;
    Instant probation_until = never;
    std::string undone_by;               // source of the undo request; empty: none
    std::vector<RequestId> undo_askers;  // undo requests, answered when the former generation serves again
    Direction direction = Direction::forward;
    bool committed = false;                 // the first old worker was asked to pause or to leave
    bool was_ready = false;                 // all new workers were ready at the same time, at least once
    Instant deadline = never;               // retiring, back: the rollout is answered by then in any case
    std::string failure;                    // the cause of the failure
    std::optional<WorkerId> failed_worker;  // the worker that caused it; its last words are quoted when it exits
    std::vector<std::string> last_words;    // last lines of its standard error
    std::vector<std::string> killed;        // names of the old workers that were killed
};

// An operator has paused the service.
struct ServicePause {
    std::string asked_by;
    Instant until{};
};

// A change of the target in progress; or, after an undone stop, the return to the target.
struct Scaling {
    enum class Kind { scale, undo_of_stop };
    Kind kind = Kind::scale;
    std::vector<RequestId> askers;
    std::string asked_by;
    int from = 0;
    Instant deadline{};  // the change fails unless all slots are ready by then
    std::string before;  // result of the reload that preceded it; prefix of the answer
};

// A queued change: at most one rollout and one scale, in the order of the requests.
struct PendingChange {
    enum class Kind { restart, rollback, reload, scale };
    Kind kind = Kind::restart;
    std::vector<RequestId> askers;
    std::string asked_by;
    int target = 0;                // scale
    std::optional<Reload> reload;  // reload
};

// The service is ending: because of a stop, or because the first generation did not become ready.
struct Shutdown {
    enum class Cause { stop, first_generation_failed };
    Cause cause = Cause::stop;
    int exit_code = 0;
    Instant last_accepted{};  // time of the last stop request that had an effect
    std::vector<RequestId> askers;
    std::string why;
};

// The last notification of the service manager.
struct ManagerNotified {
    std::string status;
    Instant until{};            // end of its current stop timeout
    std::optional<Instant> at;  // time of the last EXTEND_TIMEOUT_USEC
    bool progress = false;      // a worker has made progress since then
};

// The complete state of the core, as plain data: what a new supervisor process would need to take over. All containers
// are ordered, so the same events give the same actions.
struct State {
    Policy policy;
    Random random;
    int target = 0;
    Origin serving;                        // the generation that should serve; a rollout changes it when it is done
    std::vector<Origin> rollback_targets;  // earlier good generations, the newest last
    std::uint64_t last_worker = 0;
    std::uint64_t last_generation = 0;
    std::uint64_t last_spec = 0;
    std::uint64_t crashes_replaced = 0;
    // A worker of this service sent HELLO=1 or READY=1. With ready-when auto, READY=1 is required from then on.
    bool any_worker_notified = false;
    bool logged_ready_by_time = false;
    bool logged_unwatched = false;  // logged once: a worker sends nothing that the watchdog could use
    bool logged_refusing = false;   // logged since the service was last ready: no worker serves
    bool finished = false;
    Admission admission = Admission::accept;
    Admission removed_listener_admission = Admission::accept;  // SetRemovedListenerAdmission
    bool may_hold_removed_listeners = false;                   // a rollout has begun since the last ServeWith
    bool has_served = false;                                   // the first generation became ready
    Generation settled;                     // the last generation with all workers settled, for the history
    std::optional<Instant> unserved_since;  // since when no worker is ready
    std::optional<ServicePause> pause;
    Duration awake{};  // clock of the watchdog: each step adds at most `max_counted_gap`
    std::optional<Instant> last_step;

    std::map<WorkerId, Worker> workers;
    std::vector<Slot> slots;          // at least `target` elements
    std::vector<LaunchSpecId> specs;  // the specs that the runtime may hold open

    // At most one of the first three is set at a time; a shutdown clears all of them.
    std::optional<FirstGeneration> first_generation;
    std::optional<Rollout> rollout;
    std::optional<Scaling> scaling;
    std::vector<PendingChange> pending;
    std::optional<Shutdown> shutdown;

    ManagerNotified manager;
    TransitionCounts transition_counts{};
};

}  // namespace holdfast::core
