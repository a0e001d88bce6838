#include "core/watchdog.hpp"

#include <algorithm>
#include <vector>

#include "core/crashes.hpp"
#include "core/words.hpp"

namespace holdfast::core {
namespace {

constexpr int ear_spans = 4;  // in the shortest watchdog

bool is_in_service(const Worker& worker) {
    return worker.state == WorkerState::ready || worker.state == WorkerState::paused ||
           worker.state == WorkerState::lame_duck;
}

bool is_watched(const Worker& worker) { return worker.terms.watchdog > 0s && worker.heard_at && is_in_service(worker); }

// What a watched worker may still be silent for.
Duration patience(const State& state, const Worker& worker) {
    return *worker.heard_at + worker.terms.watchdog - state.awake;
}

std::optional<Duration> ear_span(const State& state) {
    std::optional<Duration> shortest;
    for (const auto& [id, worker] : state.workers) {
        if (is_watched(worker)) shortest = std::min(shortest.value_or(worker.terms.watchdog), worker.terms.watchdog);
    }
    if (!shortest) return std::nullopt;
    return *shortest / ear_spans;
}

void say_that_it_is_not_watched(Turn& turn, const Worker& worker) {
    if (turn.state.told_unwatched) return;
    turn.state.told_unwatched = true;
    turn.note(Level::warning, "not_watched", worker,
              "it says neither READY=1 nor WATCHDOG=1, so --watchdog does not watch it: a mute worker that hangs is "
              "not noticed");
}

}  // namespace

void keep_listening(State& state, Instant now) {
    if (state.last_step) state.awake += std::min(now - *state.last_step, ear_span(state).value_or(Duration::zero()));
    state.last_step = now;
}

void begin_watch(Turn& turn, Worker& worker) {
    if (worker.terms.watchdog == Duration::zero()) return;
    if (worker.speaks == Speaks::nothing) return say_that_it_is_not_watched(turn, worker);
    worker.heard_at = turn.state.awake;
}

void on_health(Turn& turn, Worker& worker, std::optional<Watchdog> said) {
    if (said && worker.speaks == Speaks::nothing) worker.speaks = Speaks::notify;
    const bool gives_up = said == Watchdog::trigger && (is_in_service(worker) || worker.state == WorkerState::starting);
    if (gives_up) return give_up(turn, worker, "asked to be given up (WATCHDOG=trigger)");
    // One that was ready before it first spoke has promised to go on now.
    const bool promises = is_in_service(worker) && worker.speaks != Speaks::nothing && !worker.heard_at;
    if (said || promises) worker.heard_at = turn.state.awake;
}

void expire_silence(Turn& turn) {
    std::vector<Worker*> silent;
    for (auto& [id, worker] : turn.state.workers) {
        if (is_watched(worker) && patience(turn.state, worker) <= 0s) silent.push_back(&worker);
    }
    for (Worker* worker : silent) {
        give_up(turn, *worker, "was silent for " + seconds(worker->terms.watchdog) + ": it missed its watchdog");
    }
}

std::optional<Instant> silent_until(const State& state, const Worker& worker) {
    if (!is_watched(worker) || !state.last_step) return std::nullopt;
    return *state.last_step + patience(state, worker);
}

std::optional<Instant> listens_at(const State& state) {
    const auto span = ear_span(state);
    if (!span || !state.last_step) return std::nullopt;
    Instant next = *state.last_step + *span;
    for (const auto& [id, worker] : state.workers) next = std::min(next, silent_until(state, worker).value_or(never));
    return next;
}

}  // namespace holdfast::core
