#include "core/rollout.hpp"

#include <utility>

#include "core/bounds.hpp"
#include "core/crashes.hpp"
#include "core/crew.hpp"
#include "core/ladder.hpp"
#include "core/rollback.hpp"
#include "core/words.hpp"

namespace holdfast::core {
namespace {

std::string name_of(Generation generation) { return "generation " + std::to_string(generation.value); }

bool all_settled(const Crew& crew) {
    for (const Crew::Place& place : crew.places) {
        if (place.wanted == nullptr || !is_ready(*place.wanted) || !place.wanted->settled) return false;
    }
    return true;
}

// How many can be counted on: old ones that are ready, new ones that have settled.
int count_dependable(const Crew& crew) {
    int count = 0;
    for (const Crew::Place& place : crew.places) {
        if (place.wanted != nullptr && is_ready(*place.wanted) && place.wanted->settled) ++count;
        if (place.other != nullptr && is_ready(*place.other)) ++count;
    }
    return count;
}

// Launches new workers while there is room: first where nobody serves, then beside old ones.
bool launch_new(Turn& turn, Crew& crew) {
    const State& state = turn.state;
    const int room = state.target + surge(state.policy, state.target);
    bool launched = false;
    for (const bool beside_old : {false, true}) {
        for (std::size_t slot = 0; slot < crew.places.size() && crew.staying < room; ++slot) {
            const Crew::Place& place = crew.places[slot];
            if (place.wanted != nullptr || (place.other != nullptr) != beside_old) continue;
            launched |= fill(turn, crew, slot, state.rollout->next);
        }
    }
    return launched;
}

// With room for all, the point of no return is when all new ones have settled: a failure before costs nothing.
bool may_commit(Turn& turn, const Crew& crew) {
    State& state = turn.state;
    Rollout& rollout = *state.rollout;
    if (rollout.committed) return true;
    if (surge(state.policy, state.target) >= state.target && !all_settled(crew)) return false;
    rollout.committed = true;
    turn.note(Level::info, "rollout_committed",
              name_of(rollout.next.generation) + " takes over: old workers are told to leave");
    return true;
}

// Lets old workers leave as long as enough others can be counted on: first those whose successor has settled.
bool release_old(Turn& turn, Crew& crew) {
    const State& state = turn.state;
    const int least = state.target - unavailable(state.policy, state.target);
    int dependable = count_dependable(crew);
    bool released = false;
    for (const bool has_successor : {true, false}) {
        for (Crew::Place& place : crew.places) {
            const bool succeeded = place.wanted != nullptr && place.wanted->settled;
            if (place.other == nullptr || succeeded != has_successor) continue;
            const int counts = is_ready(*place.other) ? 1 : 0;
            if (counts > 0 && dependable - counts < least) continue;
            if (!may_commit(turn, crew)) return released;
            dependable -= counts;
            dismiss(turn, crew, place.other, Reason::restart, "restart asked for by " + state.rollout->asked_by);
            released = true;
        }
    }
    return released;
}

bool old_ones_are_gone(const State& state) {
    for (const auto& [id, worker] : state.workers) {
        if (worker.generation != state.rollout->next.generation) return false;
    }
    return true;
}

void finish_forward(Turn& turn) {
    State& state = turn.state;
    const Rollout rollout = *std::exchange(state.rollout, std::nullopt);
    state.serving = rollout.next;
    std::string text = name_of(rollout.next.generation) + " serves with " + workers(state.target);
    if (!rollout.killed.empty()) text += "; killed at their last deadline: " + list_of(rollout.killed);
    turn.note(Level::info, "rollout_done", text);
    turn.answer(rollout.asker, {Outcome::Result::done, text, {}, 0});
}

void advance_forward(Turn& turn) {
    State& state = turn.state;
    Crew crew = take_crew(state, state.rollout->next.generation);
    dismiss_surplus(turn, crew);
    while (launch_new(turn, crew) || release_old(turn, crew)) {
    }
    if (all_settled(crew) && old_ones_are_gone(state)) finish_forward(turn);
}

}  // namespace

void begin_rollout(Turn& turn, RequestId asker, const std::string& asked_by) {
    State& state = turn.state;
    forgive_crashes(state);
    Rollout rollout;
    rollout.asker = asker;
    rollout.asked_by = asked_by;
    rollout.former = state.serving;
    rollout.next = Origin{Generation{++state.last_generation}, LaunchSpecId{++state.last_spec}};
    state.specs.push_back(rollout.next.spec);
    turn.note(Level::info, "rollout_started",
              "restart to " + name_of(rollout.next.generation) + ", asked for by " + asked_by);
    state.rollout = std::move(rollout);
}

void advance_rollout(Turn& turn) {
    if (turn.state.rollout->direction == Rollout::Direction::forward) {
        advance_forward(turn);
    } else {
        advance_rollback(turn);
    }
}

void fail_rollout_by(Turn& turn, const Worker& worker, const std::string& what,
                     const std::vector<std::string>& last_words) {
    State& state = turn.state;
    if (!state.rollout || state.rollout->direction == Rollout::Direction::back) return;
    Rollout& rollout = *state.rollout;
    if (worker.generation != rollout.next.generation) return;
    rollout.direction = Rollout::Direction::back;
    rollout.deadline = turn.now + rollback_bound(state.policy, state.target);
    rollout.failure = "worker " + name_of(worker) + " " + what;
    rollout.to_blame = worker.id;
    rollout.last_words = last_words;
    turn.note(
        Level::error, "rollout_failed",
        rollout.failure + quote_last(last_words) + "; " + name_of(rollout.former.generation) + " is brought back");
}

void keep_last_words(State& state, const Worker& worker, const std::vector<std::string>& last_words) {
    if (state.rollout && state.rollout->to_blame == worker.id && !last_words.empty()) {
        state.rollout->last_words = last_words;
    }
}

}  // namespace holdfast::core
