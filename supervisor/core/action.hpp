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

// Everything the core can want done. The runtime carries actions out in order, and decides nothing.

// Makes a launch spec before anything is launched from it, and runs --pre-restart. Answered by exactly one Prepared,
// unless it is abandoned first. `fresh`: from the configuration in force, or from `plan` (whose added listeners are
// bound now); `kept`: the one of a former generation, looked at again: its directory and its program have to be what
// they were, and its listeners are bound again where they were closed.
struct Prepare {
    enum class From { fresh, kept };
    LaunchSpecId spec;
    Generation generation;
    From from = From::fresh;
    PlanId plan;
};

// Nobody wants to know any more: ends --pre-restart's command.
struct AbandonPreparation {
    LaunchSpecId spec;
};

// Listeners that only other specs than this one have are closed: the second phase of a reload, or its way back.
struct ServeWith {
    LaunchSpecId spec;
};

// The configuration of this plan is the one in force from now on; or it is thrown away.
struct AdoptPlan {
    PlanId plan;
};
struct DropPlan {
    PlanId plan;
};

// Ask the worker whether it serves, as --ready-when says. Answered by exactly one ProbeAnswered.
struct Probe {
    WorkerId worker;
};

// Look whether any process of the worker has one of its listeners open. Answered by exactly one ListenerClaimed.
struct CheckListenerClaim {
    WorkerId worker;
};

// A line for the ledger of generations. The runtime adds the time, and to `prepared` the executable, its build-id and
// the configuration's hash.
struct Record {
    Generation generation;
    std::string_view event;  // started prepared ready settled committed probation done failed mixed undone interrupted
                             // retired worker_exited worker_killed
    std::string worker;      // its name; empty: the generation itself
    std::string text;        // who asked, why it failed, what was cut off
};

// Launch a worker. Answered by exactly one Spawned or SpawnFailed, unless it is forgotten first. A spec that the
// runtime has not seen is made now, from the configuration and the files as they are now.
struct Spawn {
    WorkerId worker;
    Generation generation;
    SlotId slot;
    LaunchSpecId spec;
};

// Say a stage over the control pipe. If it cannot be written the runtime sends `fallback_signal` (0: none) instead.
struct Tell {
    WorkerId worker;
    Command command;
    int fallback_signal = 0;
};

// Whom a signal is for: the main process; every member of its process group; descendants that left the group.
enum class Target { main, group, strays };
struct Signal {
    WorkerId worker;
    int signal = 0;
    Target target = Target::main;
};

// SIGKILL to the whole process tree. The only action that kills.
struct Kill {
    WorkerId worker;
};

// Nothing more will be done with this worker: drop its descriptors. A launch that is still under way is abandoned;
// should it come to life later, it is killed on sight.
struct Forget {
    WorkerId worker;
};

// No worker will be launched from this spec any more: close what it holds open.
struct ForgetSpec {
    LaunchSpecId spec;
};

// Invariant 1. `refuse`: nobody accepts and nobody will come, new clients are refused at once. `accept`: listen again,
// always before a worker is launched for it.
enum class Admission { accept, refuse };
struct SetAdmission {
    Admission admission = Admission::accept;
};

// The same for the listeners that this spec does not have: a reload takes them away, and nobody of another spec accepts
// any more. `accept`: those who did are brought back.
struct SetRemovedListenerAdmission {
    LaunchSpecId spec;
    Admission admission = Admission::accept;
};

// A request's one answer.
struct Answer {
    RequestId request;
    Outcome outcome;
};

// For the log. `event` is a stable word for tools ("worker_told"), `text` a sentence for people.
enum class Level { debug, info, warning, error };
struct Note {
    Level level = Level::info;
    std::string_view event;
    std::optional<WorkerId> worker;
    std::string text;
};

// For the service manager above us (sd_notify): READY=1 and STOPPING=1 once each, EXTEND_TIMEOUT_USEC with the time
// until `deadline`, STATUS=text.
struct ManagerReady {};
struct ManagerStopping {};
struct ManagerExtend {
    Duration at_least{};
};
struct ManagerStatus {
    std::string text;
};

// Everything is over: end with this exit status. The last action of all.
struct Finish {
    int exit_code = 0;
};

using Action =
    std::variant<Prepare, AbandonPreparation, ServeWith, AdoptPlan, DropPlan, Probe, CheckListenerClaim, Record, Spawn,
                 Tell, Signal, Kill, Forget, ForgetSpec, SetAdmission, SetRemovedListenerAdmission, Answer, Note,
                 ManagerReady, ManagerStopping, ManagerExtend, ManagerStatus, Finish>;

}  // namespace holdfast::core
