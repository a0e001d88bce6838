#include "core/watchdog.hpp"

#include <algorithm>
#include <vector>

#include "core/crashes.hpp"
#include "core/describe/text.hpp"

namespace holdfast::core {
namespace {

constexpr int gaps_per_watchdog = 4;  // of the shortest watchdog

bool is_in_service(const Worker& worker) {
    return worker.state == WorkerState::ready || worker.state == WorkerState::paused ||
           worker.state == WorkerState::lame_duck;
}

bool is_watched(const Worker& worker) {
    return worker.health.watchdog > 0s && worker.last_heartbeat && is_in_service(worker);
}

// Time until the timeout of a monitored worker expires, on the clock State::awake.
Duration remaining_silence(const State& state, const Worker& worker) {
    return *worker.last_heartbeat + worker.health.watchdog - state.awake;
}

std::optional<Duration> max_counted_gap(const State& state) {
    std::optional<Duration> shortest;
    for (const auto& [id, worker] : state.workers) {
        if (is_watched(worker)) shortest = std::min(shortest.value_or(worker.health.watchdog), worker.health.watchdog);
    }
    if (!shortest) return std::nullopt;
    return *shortest / gaps_per_watchdog;
}

void note_unwatched(StepContext& context, const Worker& worker) {
    if (context.state.logged_unwatched) return;
    context.state.logged_unwatched = true;
    context.note(Level::warning, "not_watched", worker,
                 "it sends neither READY=1 nor WATCHDOG=1, so --watchdog cannot monitor it: a hang is not detected");
}

}  // namespace

void advance_awake_clock(State& state, Instant now) {
    if (state.last_step)
        state.awake += std::min(now - *state.last_step, max_counted_gap(state).value_or(Duration::zero()));
    state.last_step = now;
}

void start_watchdog(StepContext& context, Worker& worker) {
    if (worker.health.watchdog == Duration::zero()) return;
    if (worker.speaks == Speaks::nothing) return note_unwatched(context, worker);
    worker.last_heartbeat = context.state.awake;
}

void on_watchdog_report(StepContext& context, Worker& worker, std::optional<Watchdog> said) {
    if (said && worker.speaks == Speaks::nothing) worker.speaks = Speaks::notify;
    const bool triggered =
        said == Watchdog::trigger && (is_in_service(worker) || worker.state == WorkerState::starting);
    if (triggered) return fail_worker(context, worker, "asked to be terminated (WATCHDOG=trigger)");
    // A worker that was ready before its first message is monitored from this message on.
    const bool starts = is_in_service(worker) && worker.speaks != Speaks::nothing && !worker.last_heartbeat;
    if (said || starts) worker.last_heartbeat = context.state.awake;
}

void expire_watchdogs(StepContext& context) {
    std::vector<Worker*> silent;
    for (auto& [id, worker] : context.state.workers) {
        if (is_watched(worker) && remaining_silence(context.state, worker) <= 0s) silent.push_back(&worker);
    }
    for (Worker* worker : silent) {
        fail_worker(context, *worker,
                    "was silent for " + seconds(worker->health.watchdog) + ": it missed its watchdog");
    }
}

std::optional<Instant> silent_until(const State& state, const Worker& worker) {
    if (!is_watched(worker) || !state.last_step) return std::nullopt;
    return *state.last_step + remaining_silence(state, worker);
}

std::optional<Instant> watchdog_tick_at(const State& state) {
    const auto span = max_counted_gap(state);
    if (!span || !state.last_step) return std::nullopt;
    Instant next = *state.last_step + *span;
    for (const auto& [id, worker] : state.workers) next = std::min(next, silent_until(state, worker).value_or(never));
    return next;
}

}  // namespace holdfast::core
