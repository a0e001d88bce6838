#include "core/deadlines.hpp"

#include <algorithm>
#include <vector>

#include "core/admission.hpp"
#include "core/crashes.hpp"
#include "core/first_generation.hpp"
#include "core/pausing.hpp"
#include "core/probing.hpp"
#include "core/readiness.hpp"
#include "core/rollout.hpp"
#include "core/scaling.hpp"
#include "core/service_manager.hpp"
#include "core/watchdog.hpp"
#include "core/worker_events.hpp"

namespace holdfast::core {
namespace {

// The first generation has the same deadline as its starting workers, so it must be handled before theirs.
void expire_changes(StepContext& context) {
    State& state = context.state;
    if (state.first_generation && state.first_generation->deadline <= context.now)
        fail_first_generation_at_deadline(context);
    if (state.rollout && next_deadline(*state.rollout) <= context.now) expire_rollout(context);
    if (state.scaling && state.scaling->deadline <= context.now) fail_scaling_if_unready(context);
    if (state.pause && state.pause->until <= context.now) end_pause(context);
}

void expire_workers(StepContext& context) {
    std::vector<WorkerId> due;
    for (const auto& [id, worker] : context.state.workers) {
        if (worker.deadline <= context.now) due.push_back(id);
    }
    for (const WorkerId id : due) on_worker_deadline(context, id);
}

bool needs_worker(const State& state, std::size_t slot) { return slot < static_cast<std::size_t>(state.target); }

}  // namespace

void expire(StepContext& context) {
    for (auto& [id, worker] : context.state.workers) apply_elapsed_time(context, worker);
    // Before the end of the probation: a worker whose watchdog expires at the same time has not passed it.
    expire_watchdogs(context);
    expire_changes(context);
    expire_workers(context);
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
        consider(crash_loop_ends_at(state, worker));
    }
    if (!state.shutdown) {
        for (std::size_t slot = 0; slot < state.slots.size() && needs_worker(state, slot); ++slot) {
            consider(state.slots[slot].next_attempt);
        }
    }
    if (state.first_generation) consider(state.first_generation->deadline);
    if (state.rollout) consider(next_deadline(*state.rollout));
    if (state.scaling) consider(state.scaling->deadline);
    if (state.pause) consider(state.pause->until);
    consider(refuse_clients_at(state));
    consider(watchdog_tick_at(state));
    consider(extends_stop_timeout_at(state));
    if (next == never) return std::nullopt;
    return next;
}

}  // namespace holdfast::core
