#include "core/doors.hpp"

#include <algorithm>

#include "core/words.hpp"

namespace holdfast::core {
namespace {

// Only an SDK worker says when it has stopped accepting; of any other nobody can know before it is gone.
bool accepts(const Worker& worker) {
    switch (worker.state) {
        case WorkerState::draining:
            return worker.speaks != Speaks::protocol || worker.accepting != false;
        case WorkerState::cancelling:
            return worker.speaks != Speaks::protocol;
        case WorkerState::killed:
        case WorkerState::gone:
            return false;
        default:
            return true;
    }
}

// It does, or was told to run again and is about to.
bool may_accept(const Worker& worker) { return worker.recalled || accepts(worker); }

// It got ready once, and takes clients.
bool serves(const Worker& worker) {
    return worker.ready_since && worker.state != WorkerState::paused && accepts(worker);
}

bool anybody(const State& state, bool (*is_so)(const Worker&)) {
    return std::any_of(state.workers.begin(), state.workers.end(),
                       [&](const auto& entry) { return is_so(entry.second); });
}

bool none_will_come(const State& state) { return state.ending || state.target == 0; }

// A pause is what an operator wants: its queue is kept.
void count_the_unserved_time(Turn& turn) {
    State& state = turn.state;
    if (state.pause || anybody(state, serves)) {
        state.unserved_since.reset();
        state.told_refusing = false;
    } else if (!state.unserved_since) {
        state.unserved_since = turn.now;
    }
}

// Once for each time that nobody serves: each failed attempt closes them again.
void say_that_nobody_serves(Turn& turn) {
    State& state = turn.state;
    const Level level = state.told_refusing ? Level::debug : Level::warning;
    state.told_refusing = true;
    turn.note(level, "doors_closed",
              "nobody has served for " + seconds(turn.now - *state.unserved_since) +
                  " and no worker runs: new clients are refused until the next launch");
}

// Whose listeners stay, once that is certain: before the commit point either generation may be the one, and whom an
// operator paused comes back.
std::optional<LaunchSpecId> heir(const State& state) {
    if (state.ending || state.pause || !state.holds_other_listeners) return std::nullopt;
    if (!state.rollout) return state.serving.spec;
    if (state.rollout->direction == Rollout::Direction::back) return state.rollout->former.spec;
    if (state.rollout->committed) return state.rollout->next.spec;
    return std::nullopt;
}

// In a probation the old ones are paused, but for clients of what is to be taken away nobody may ever come back.
bool accepts_now(const Worker& worker) {
    return may_accept(worker) && (worker.state != WorkerState::paused || worker.recalled || worker.accepting != false);
}

}  // namespace

std::optional<Instant> doors_close_at(const State& state) {
    if (state.doors == Doors::refuse || !state.unserved_since || anybody(state, may_accept)) return std::nullopt;
    return *state.unserved_since + state.policy.queue_for;
}

void close_doors_if_nobody_accepts(Turn& turn) {
    State& state = turn.state;
    count_the_unserved_time(turn);
    if (state.doors == Doors::refuse || anybody(state, may_accept)) return;
    const auto close_at = doors_close_at(state);
    if (!none_will_come(state) && (!close_at || *close_at > turn.now)) return;
    state.doors = Doors::refuse;
    turn.add(SetDoors{Doors::refuse});
    if (!none_will_come(state)) return say_that_nobody_serves(turn);
    turn.note(Level::info, "doors_closed", "no worker accepts any more and none will come: new clients are refused");
}

void refuse_others_if_nobody_accepts(Turn& turn) {
    State& state = turn.state;
    const auto spec = heir(state);
    if (!spec || state.other_doors == Doors::refuse) return;
    const bool anybody_accepts = std::ranges::any_of(
        state.workers, [&](const auto& entry) { return entry.second.spec != *spec && accepts_now(entry.second); });
    if (anybody_accepts) return;
    state.other_doors = Doors::refuse;
    turn.add(SetOtherDoors{*spec, Doors::refuse});
}

void accept_for_others(Turn& turn) {
    State& state = turn.state;
    if (state.other_doors == Doors::accept) return;
    state.other_doors = Doors::accept;
    turn.add(SetOtherDoors{state.serving.spec, Doors::accept});
}

}  // namespace holdfast::core
