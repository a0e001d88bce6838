#include "core/describe/snapshot.hpp"

#include "core/crashes.hpp"
#include "core/describe/change_status.hpp"
#include "core/describe/text.hpp"
#include "core/describe/unready.hpp"
#include "core/watchdog.hpp"

namespace holdfast::core {
namespace {

bool is_checking(const State& state) {
    return state.rollout && state.rollout->direction == Rollout::Direction::forward &&
           state.rollout->stage == Rollout::Stage::preparing;
}

Generation shown_generation(const State& state) {
    const bool forward =
        state.rollout && state.rollout->direction == Rollout::Direction::forward && !is_checking(state);
    return forward ? state.rollout->next.generation : state.serving.generation;
}

struct Count {
    int ready = 0;   // ready workers of the shown generation
    int others = 0;  // workers of other generations, in any state
    bool mixed = false;
};

Count count(const State& state) {
    Count result;
    std::optional<Generation> serving;
    for (const auto& [id, worker] : state.workers) {
        const bool shown = worker.generation == shown_generation(state);
        if (!shown) ++result.others;
        if (!is_ready(worker)) continue;
        if (shown) ++result.ready;
        if (serving && *serving != worker.generation) result.mixed = true;
        serving = worker.generation;
    }
    return result;
}

WorkerStatus show(const State& state, const Worker& worker) {
    WorkerStatus status;
    status.id = worker.id;
    status.generation = worker.generation;
    status.slot = worker.slot;
    status.pid = worker.pid;
    status.state = worker.state;
    status.since = worker.since;
    if (worker.deadline != never) status.deadline = worker.deadline;
    status.speaks = worker.speaks;
    status.settled = worker.settled;
    status.accepting = worker.accepting;
    status.in_flight = worker.in_flight;
    status.served = worker.served;
    status.waiting = worker.waiting.value_or(std::vector<Waiting>{});
    status.held = worker.held;
    status.handed_back = worker.handed_back;
    status.lost = worker.lost;
    status.not_seen = worker.not_seen;
    status.drained_at = worker.drained_at;
    status.text = worker.text;
    status.why_leaving = worker.why;
    if (worker.recalled) status.recall = WorkerStatus::Recall::awaited;
    status.probe = worker.probe_text;
    status.silent_until = silent_until(state, worker);
    return status;
}

void show_slots(const State& state, Instant now, Status& status) {
    for (std::size_t slot = 0; slot < static_cast<std::size_t>(state.target); ++slot) {
        const Slot& record = state.slots[slot];
        SlotStatus shown{SlotId{slot}, record.crashes_in_a_row, std::nullopt, record.last_failure, record.last_words};
        if (record.next_attempt && *record.next_attempt > now) shown.next_attempt = record.next_attempt;
        status.slots.push_back(shown);
    }
    for (const auto& [id, worker] : state.workers) {
        const bool placed = worker.slot.value < status.slots.size();
        if (placed && is_ready(worker) && has_outlived_crashes(worker, now)) {
            status.slots[worker.slot.value].crashes_in_a_row = 0;
        }
    }
}

std::string describe_rollout(const State& state, const std::string& counted, int others) {
    if (is_checking(state)) {
        return "checking " + name_of(state.rollout->next.generation) + "; " + name_of(state.serving.generation) + ": " +
               counted;
    }
    std::string_view verb = "restarting to ";
    if (state.rollout->kind == Rollout::Kind::reload) verb = "reloading to ";
    if (state.rollout->kind == Rollout::Kind::rollback) verb = "rolling back to an earlier program as ";
    return std::string(verb) + name_of(state.rollout->next.generation) + ": " + counted + ", " +
           std::to_string(others) + " old left";
}

// "generation 3: 2 of 3 ready", counted for the shown generation; also mentions serving workers of another generation.
std::string describe_phase(const State& state) {
    const Count counted = count(state);
    const std::string generation = name_of(shown_generation(state));
    const std::string ready = std::to_string(counted.ready) + " of " + std::to_string(state.target) + " ready";
    switch (phase_of(state)) {
        case Phase::starting:
            return "starting " + generation + ": " + ready;
        case Phase::serving:
            return generation + ": " + ready + (counted.mixed ? ", mixed with another generation" : "");
        case Phase::rolling_out:
            return describe_rollout(state, ready, counted.others);
        case Phase::probation:
            return generation + " in probation: " + ready + ", " + std::to_string(counted.others) + " old left";
        case Phase::rolling_back:
            return "rolling back to " + generation + ": " + ready + ", " + std::to_string(counted.others) + " new left";
        case Phase::scaling:
            return "scaling to " + workers(state.target) + ": " + ready;
        case Phase::paused:
            return generation + ": paused by " + state.pause->asked_by;
        case Phase::stopping:
            return "stopping: " + workers(static_cast<int>(state.workers.size())) + " left";
        case Phase::finished:
            return "finished";
    }
    return "";
}

void show_change_and_readiness(const State& state, Instant now, Status& status) {
    status.unready_because = unready_because(state, now);
    status.ready = status.unready_because.empty();
    status.refusing = state.admission == Admission::refuse;
    status.change = show_change(state);
    if (state.pause) status.paused_until = state.pause->until;
    if (!state.rollback_targets.empty()) status.rollback_to = state.rollback_targets.back().generation;
}

}  // namespace

Phase phase_of(const State& state) {
    if (state.finished) return Phase::finished;
    if (state.shutdown) return Phase::stopping;
    if (state.first_generation) return Phase::starting;
    if (state.scaling) return Phase::scaling;
    if (state.pause) return Phase::paused;
    if (!state.rollout) return Phase::serving;
    if (state.rollout->direction == Rollout::Direction::back) return Phase::rolling_back;
    return state.rollout->stage == Rollout::Stage::probation ? Phase::probation : Phase::rolling_out;
}

std::string describe(const State& state) {
    std::string text = describe_phase(state);
    if (state.shutdown || state.finished) return text;
    if (const std::string loops = describe_loops(state); !loops.empty()) text += "; " + loops;
    if (state.admission == Admission::refuse) text += "; new connections are refused";
    return text;
}

Status take_snapshot(const State& state, Instant now) {
    Status status;
    status.now = now;
    status.phase = phase_of(state);
    status.detail = describe(state);
    status.mixed = !state.rollout && !state.shutdown && count(state).mixed;
    status.target = state.target;
    status.generation = shown_generation(state);
    status.restarts = state.crashes_replaced;
    for (const auto& [id, worker] : state.workers) status.workers.push_back(show(state, worker));
    show_change_and_readiness(state, now, status);
    show_slots(state, now, status);
    return status;
}

}  // namespace holdfast::core
