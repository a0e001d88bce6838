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

// Whether the launch has succeeded. Nothing can be sent to a worker before that.
enum class Launch { pending, done };

// The state of the control pipe: no HELLO=1 received yet; stages can be sent; hung up.
enum class Channel { no_hello, open, lost };

// A launched worker. Plain data; only worker_transitions.cpp changes `state`.
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
    StageSet stages;           // the stages it listed in HELLO=1
    bool recalled = false;     // it was sent the stage run; it is ready again only when it confirms
    bool settled = false;      // it has been ready for `settle`
    bool main_exited = false;  // its main process exited, other members of its group still run
    bool stopping = false;     // it sent STOPPING=1, on its own initiative or after a signal: it cannot be recalled
    bool releasing = false;    // it sent X_HOLDFAST_RELEASING=1: it cannot be recalled either
    bool drained = false;      // it sent X_HOLDFAST_DRAINED=1
    bool signalled = false;    // the signal of its current state was sent
    int strays = 0;            // descendants outside its process group
    std::string not_seen;      // why there may be processes of it that cannot be seen; empty: all are
    int pid = 0;

    Instant since{};           // when it entered its current state
    Instant deadline = never;  // end of its current state
    Instant kill_at = never;   // end of the last stage, while it leaves
    Duration extended{};       // sum of the extensions granted so far
    Duration pause_for{};      // how long it may be paused; set before it is paused
    std::optional<Instant> spawned_at;
    std::optional<Instant> ready_since;

    std::optional<Reason> reason;  // why it leaves, for the protocol
    std::string why;               // why it leaves, for people

    std::optional<bool> accepting;
    std::optional<std::uint64_t> in_flight;
    std::optional<std::uint64_t> served;
    std::optional<std::vector<Waiting>> waiting;  // from the last drain report
    std::vector<HeldCount> held;                  // from the last drain report
    std::optional<Instant> reported_at;           // time of the last drain report
    std::optional<std::uint64_t> handed_back;
    std::optional<std::uint64_t> lost;
    std::optional<Instant> drained_at;  // time of the first X_HOLDFAST_DRAINED=1
    std::string text;                   // STATUS=

    ListenerClaim claim = ListenerClaim::not_known;
    enum class Probing { no, awaited } probing = Probing::no;  // `awaited`: a ProbeAnswered is outstanding
    Instant probe_at = never;                                  // time of the next probe
    int probes_failed = 0;                                     // failed probes in a row
    std::string probe_text;                                    // failure of the last failed probe
    // `awaited`: a ListenerClaimed is outstanding. The worker cannot settle before it arrives.
    enum class ClaimCheck { no, awaited } claim_check = ClaimCheck::no;
    // Time of the last WATCHDOG=1, or of becoming ready, on the clock State::awake.
    std::optional<Duration> last_heartbeat;
};

inline bool is_leaving(const Worker& worker) {
    return worker.state == WorkerState::lame_duck || worker.state == WorkerState::draining ||
           worker.state == WorkerState::cancelling || worker.state == WorkerState::killed;
}

// Whether it keeps its slot: it is not leaving, or it is being recalled.
inline bool stays(const Worker& worker) { return !is_leaving(worker) || worker.recalled; }

inline bool is_ready(const Worker& worker) { return worker.state == WorkerState::ready; }

// Whether `stage` can be sent over the control pipe.
inline bool can_receive(const Worker& worker, Stage stage) {
    return worker.launch == Launch::done && worker.channel == Channel::open && worker.stages.has(stage);
}

// Whether it can return to service: it was ready, leaves because of an operator's request, has released nothing yet,
// and supports the stage run.
inline bool can_be_recalled(const Worker& worker) {
    const bool early = worker.state == WorkerState::lame_duck || worker.state == WorkerState::draining;
    const bool asked =
        worker.reason == Reason::restart || worker.reason == Reason::scale || worker.reason == Reason::stop;
    return early && asked && worker.ready_since && can_receive(worker, Stage::run) && !worker.recalled &&
           !worker.stopping && !worker.releasing && !worker.drained && !worker.main_exited;
}

// Whether cancelling it now would cut off work. A worker that reports nothing counts as having work.
inline bool has_work_left(const Worker& worker) {
    if (worker.drained) return false;
    if (worker.speaks != Speaks::protocol) return true;
    if (worker.in_flight.value_or(0) > 0 || (worker.waiting && !worker.waiting->empty())) return true;
    if (std::ranges::any_of(worker.held, [](const HeldCount& held) { return held.count > 0; })) return true;
    return !worker.in_flight && !worker.waiting;
}

}  // namespace holdfast::core
