#pragma once

#include <algorithm>
#include <holdfast/message.hpp>
#include <optional>
#include <string>
#include <vector>

#include "base/ids.hpp"
#include "base/time.hpp"
#include "core/event.hpp"
#include "core/status.hpp"
#include "core/worker_state.hpp"

namespace holdfast::core {

inline constexpr Instant never = Instant::max();

// Whether the launch is known to have succeeded. Until then a worker can be told nothing.
enum class Launch { pending, done };

// The control pipe, as the core sees it: no HELLO yet, stages can be told, hung up.
enum class Channel { no_hello, open, lost };

// One launched worker: everything the core knows of it. Plain data; only worker_transitions.cpp changes `state`.
struct Worker {
    WorkerId id;
    Generation generation;
    SlotId slot;
    LaunchSpecId spec;
    HealthSettings health;

    WorkerState state = WorkerState::starting;
    Launch launch = Launch::pending;
    Channel channel = Channel::no_hello;
    Speaks speaks = Speaks::nothing;
    StageSet stages;           // that it listed
    bool recalled = false;     // told to run; it is ready again on its own word only
    bool settled = false;      // has been ready for `settle`
    bool main_exited = false;  // its group lives on
    bool stopping = false;     // said so, of its own account or answering a signal: it cannot be taken back
    bool releasing = false;    // said so: neither can it then
    bool drained = false;
    bool signalled = false;  // of its present state
    int strays = 0;          // descendants that left its group
    int pid = 0;

    Instant since{};           // of its state
    Instant deadline = never;  // of its state
    Instant kill_at = never;   // end of the ladder, while it climbs it
    Duration extended{};       // granted so far
    Duration pause_for{};      // how long it may be paused; set before it is
    std::optional<Instant> spawned_at;
    std::optional<Instant> ready_since;

    std::optional<Reason> reason;  // why it leaves
    std::string why;               // the same for people

    std::optional<bool> accepting;
    std::optional<std::uint64_t> in_flight;
    std::optional<std::uint64_t> served;
    std::optional<std::vector<Waiting>> waiting;  // the last drain report
    std::vector<HeldCount> held;                  // of the same
    std::optional<Instant> reported_at;           // when it came
    std::optional<std::uint64_t> handed_back;
    std::optional<Instant> drained_at;  // when it said so
    std::string text;

    ListenerClaim claim = ListenerClaim::not_known;
    enum class Probing { no, awaited } probing = Probing::no;  // its answer
    Instant probe_at = never;                                  // the next one
    int probes_failed = 0;                                     // in a row
    std::string probe_text;                                    // of the last that failed
    enum class ClaimCheck {
        no,
        awaited
    } claim_check = ClaimCheck::no;  // the answer to CheckListenerClaim: it settles only after it
    std::optional<Duration>
        last_heartbeat;  // on the clock of State::awake; of the last WATCHDOG=1, or of getting ready
};

inline bool is_leaving(const Worker& worker) {
    return worker.state == WorkerState::lame_duck || worker.state == WorkerState::draining ||
           worker.state == WorkerState::cancelling || worker.state == WorkerState::killed;
}

// It keeps its place: nobody asked it to leave, or it was asked to come back and still may.
inline bool stays(const Worker& worker) { return !is_leaving(worker) || worker.recalled; }

inline bool is_ready(const Worker& worker) { return worker.state == WorkerState::ready; }

// `stage` can be told over the control pipe.
inline bool can_be_told(const Worker& worker, Stage stage) {
    return worker.launch == Launch::done && worker.channel == Channel::open && worker.stages.has(stage);
}

// It served, leaves because an operator wanted it, has released nothing yet, and understands `run`.
inline bool can_be_recalled(const Worker& worker) {
    const bool early = worker.state == WorkerState::lame_duck || worker.state == WorkerState::draining;
    const bool asked =
        worker.reason == Reason::restart || worker.reason == Reason::scale || worker.reason == Reason::stop;
    return early && asked && worker.ready_since && can_be_told(worker, Stage::run) && !worker.recalled &&
           !worker.stopping && !worker.releasing && !worker.drained && !worker.main_exited;
}

// Something would be cut off by cancelling it now. Silence counts as work: nobody can know better.
inline bool has_work_left(const Worker& worker) {
    if (worker.drained) return false;
    if (worker.speaks != Speaks::protocol) return true;
    if (worker.in_flight.value_or(0) > 0 || (worker.waiting && !worker.waiting->empty())) return true;
    if (std::ranges::any_of(worker.held, [](const HeldCount& held) { return held.count > 0; })) return true;
    return !worker.in_flight && !worker.waiting;
}

}  // namespace holdfast::core
