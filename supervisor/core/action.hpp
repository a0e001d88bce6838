#pragma once

#include <holdfast/message.hpp>
#include <optional>
#include <string>
#include <string_view>
#include <variant>

#include "base/ids.hpp"
#include "base/time.hpp"
#include "core/request.hpp"

namespace holdfast::core {

// The actions that the core can request. The runtime executes those of a step one after the other, in the order of
// core/action_order.hpp, and makes no decisions.

// Creates a launch spec before a worker is launched from it, and runs --pre-restart. Answered by exactly one Prepared,
// unless it is abandoned first. `fresh`: from the current configuration, or from `plan`, whose added listeners are
// bound now. `kept`: reuses the spec of an earlier generation. Its directory and its program must be unchanged, and
// those of its listeners that were closed are bound again.
struct Prepare {
    enum class From { fresh, kept };
    LaunchSpecId spec;
    Generation generation;
    From from = From::fresh;
    PlanId plan;
};

// Cancels a Prepare and ends the --pre-restart command. No Prepared follows.
struct AbandonPreparation {
    LaunchSpecId spec;
};

// Closes the listeners that this spec does not use. This is the second phase of a reload, or of its rollback.
struct ServeWith {
    LaunchSpecId spec;
};

// AdoptPlan makes the configuration of this plan the current one; DropPlan discards it.
struct AdoptPlan {
    PlanId plan;
};
struct DropPlan {
    PlanId plan;
};

// Sends the --ready-when probe to the worker. Answered by exactly one ProbeAnswered.
struct Probe {
    WorkerId worker;
};

// Checks whether any process of the worker has one of its listeners open. Answered by exactly one ListenerClaimed.
struct CheckListenerClaim {
    WorkerId worker;
};

// Restores the backlogs of listeners that a worker lowered. Due when a worker may just have called listen().
struct CheckBacklogs {};

// One line of the history. The runtime adds the time, and to `prepared` the executable, its build id and the hash of
// the configuration.
struct Record {
    Generation generation;
    std::string_view event;  // started prepared ready settled committed probation done failed mixed undone interrupted
                             // retired worker_exited worker_killed
    std::string worker;      // name of the worker; empty: the line concerns the whole generation
    std::string text;        // who requested it, why it failed, what was cut off
};

// Launches a worker. Answered by exactly one Spawned or SpawnFailed, unless the worker is forgotten first. A spec that
// is new to the runtime is created now, from the current configuration and files.
struct Spawn {
    WorkerId worker;
    Generation generation;
    SlotId slot;
    LaunchSpecId spec;
};

// Sends a stage over the control pipe. If the write fails, the runtime sends `fallback_signal` (0: none) instead.
struct Tell {
    WorkerId worker;
    Command command;
    int fallback_signal = 0;
};

// Recipients of a signal: the main process; all members of its process group; the descendants that left the group.
enum class Target { main, group, strays };
struct Signal {
    WorkerId worker;
    int signal = 0;
    Target target = Target::main;
};

// Sends SIGKILL to the whole process tree. No other action does.
struct Kill {
    WorkerId worker;
};

// Drops all resources of this worker: no action for it follows. A launch in progress is abandoned; if it succeeds
// later, the new process is killed at once.
struct Forget {
    WorkerId worker;
};

// Closes the descriptors of this spec: no worker is launched from it any more.
struct ForgetSpec {
    LaunchSpecId spec;
};

// Invariant 1. `refuse`: no worker accepts and none will start, so new connections are refused at once. `accept`:
// listens again; always precedes the launch of the worker that will accept.
enum class Admission { accept, refuse };
struct SetAdmission {
    Admission admission = Admission::accept;
};

// The same for the listeners that this spec does not use because a reload removes them. `refuse`: no worker of another
// spec accepts on them any more. `accept`: a rollback resumes the workers that accepted on them.
struct SetRemovedListenerAdmission {
    LaunchSpecId spec;
    Admission admission = Admission::accept;
};

// The only answer to a request.
struct Answer {
    RequestId request;
    Outcome outcome;
};

// A log entry. `event` is a stable word for tools ("worker_told"), `text` a sentence for people.
enum class Level { debug, info, warning, error };
struct Note {
    Level level = Level::info;
    std::string_view event;
    std::optional<WorkerId> worker;
    std::string text;
};

// Notifications for the service manager (sd_notify): READY=1 and STOPPING=1, once each; EXTEND_TIMEOUT_USEC=`at_least`;
// STATUS=`text`.
struct ManagerReady {};
struct ManagerStopping {};
struct ManagerExtend {
    Duration at_least{};
};
struct ManagerStatus {
    std::string text;
};

// Ends the supervisor with this exit status. Only log lines and Forget follow it.
struct Finish {
    int exit_code = 0;
};

using Action =
    std::variant<Prepare, AbandonPreparation, ServeWith, AdoptPlan, DropPlan, Probe, CheckListenerClaim, CheckBacklogs,
                 Record, Spawn, Tell, Signal, Kill, Forget, ForgetSpec, SetAdmission, SetRemovedListenerAdmission,
                 Answer, Note, ManagerReady, ManagerStopping, ManagerExtend, ManagerStatus, Finish>;

}  // namespace holdfast::core
