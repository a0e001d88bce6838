#include "core/deadlines.hpp"

#include <algorithm>
#include <vector>

#include "core/crashes.hpp"
#include "core/doors.hpp"
#include "core/first_generation.hpp"
#include "core/lives.hpp"
#include "core/manager.hpp"
#include "core/pausing.hpp"
#include "core/probing.hpp"
#include "core/readiness.hpp"
#include "core/rollout.hpp"
#include "core/scaling.hpp"
#include "core/watchdog.hpp"

namespace holdfast::core {
namespace {

// In the first generation the workers' own deadline is everybody's, and everybody's goes first.
void expire_changes(Turn& turn) {
    State& state = turn.state;
    if (state.first_generation && state.first_generation->deadline <= turn.now) fail_first_generation_at_deadline(turn);
    if (state.rollout && next_deadline(*state.rollout) <= turn.now) expire_rollout(turn);
    if (state.scaling && state.scaling->deadline <= turn.now) fail_scaling_if_unready(turn);
    if (state.pause && state.pause->until <= turn.now) end_pause(turn);
}

void expire_workers(Turn& turn) {
    std::vector<WorkerId> due;
    for (const auto& [id, worker] : turn.state.workers) {
        if (worker.deadline <= turn.now) due.push_back(id);
    }
    for (const WorkerId id : due) on_worker_deadline(turn, id);
}

bool needs_worker(const State& state, std::size_t slot) { return slot < static_cast<std::size_t>(state.target); }

}  // namespace

void expire(Turn& turn) {
    for (auto& [id, worker] : turn.state.workers) let_time_count(turn, worker);
    // Who was silent until the end of the probation has not passed it.
    expire_silence(turn);
    expire_changes(turn);
    expire_workers(turn);
}

std::optional<Instant> next_deadline(const State& state) {
    if (state.finished) return std::nullopt;
    Instant next = never;
    const auto consider = [&](std::optional<Instant> at) { next = at ? std::min(next, *at) : next; };
    for (const auto& [id, worker] : state.workers) {
        consider(worker.deadline);
        consider(ready_by_time(state, worker));
        consider(settles_at(state, worker));
        consider(probes_at(state, worker));
        consider(loop_ends_at(state, worker));
    }
    if (!state.ending) {
        for (std::size_t slot = 0; slot < state.slots.size() && needs_worker(state, slot); ++slot) {
            consider(state.slots[slot].next_attempt);
        }
    }
    if (state.first_generation) consider(state.first_generation->deadline);
    if (state.rollout) consider(next_deadline(*state.rollout));
    if (state.scaling) consider(state.scaling->deadline);
    if (state.pause) consider(state.pause->until);
    consider(doors_close_at(state));
    consider(listens_at(state));
    consider(asks_for_time_at(state));
    if (next == never) return std::nullopt;
    return next;
}

}  // namespace holdfast::core
