#include "core/rollback.hpp"

#include <utility>

#include "core/bounds.hpp"
#include "core/crew.hpp"
#include "core/ladder.hpp"
#include "core/rollout_end.hpp"
#include "core/words.hpp"

namespace holdfast::core {
namespace {

void dismiss_unready(Turn& turn, Crew& crew) {
    for (Crew::Place& place : crew.places) {
        if (place.other == nullptr || is_ready(*place.other)) continue;
        dismiss(turn, crew, place.other, Reason::rollback, turn.state.rollout->failure);
    }
}

// They are there anyway, so whether there is room for them is no question.
void recall_paused(Turn& turn, Crew& crew) {
    for (Crew::Place& place : crew.places) {
        if (place.wanted == nullptr || place.wanted->state != WorkerState::paused || place.wanted->recalled) continue;
        if (!can_be_told(*place.wanted, Stage::run)) {
            dismiss(turn, crew, place.wanted, Reason::rollback, "it cannot be told to accept again");
            continue;
        }
        recall(turn, *place.wanted);
        ++crew.staying;
    }
}

bool bring_back(Turn& turn, Crew& crew) {
    const State& state = turn.state;
    const int room = state.target + surge(state.policy, state.target);
    bool changed = false;
    for (const bool beside_new : {false, true}) {
        for (std::size_t slot = 0; slot < crew.places.size() && crew.staying < room; ++slot) {
            const Crew::Place& place = crew.places[slot];
            if (place.wanted != nullptr || (place.other != nullptr) != beside_new) continue;
            changed |= fill(turn, crew, slot, state.rollout->former);
        }
    }
    return changed;
}

bool is_waiting_for_room(const Turn& turn, const Crew& crew) {
    const State& state = turn.state;
    if (crew.staying < state.target + surge(state.policy, state.target)) return false;
    for (std::size_t slot = 0; slot < crew.places.size(); ++slot) {
        const auto& next_attempt = state.slots[slot].next_attempt;
        if (crew.places[slot].wanted == nullptr && (!next_attempt || *next_attempt <= turn.now)) return true;
    }
    return false;
}

// New workers that serve leave when the former ones suffice, or one by one to make room for them.
bool release_new(Turn& turn, Crew& crew) {
    const State& state = turn.state;
    const int fewest = state.target - unavailable(state.policy, state.target);
    const int least = is_waiting_for_room(turn, crew) ? fewest : state.target;
    const int dependable = count_dependable(crew, state.rollout->next.generation);
    for (const bool replaced : {true, false}) {
        for (Crew::Place& place : crew.places) {
            const bool has_former = place.wanted != nullptr && is_ready(*place.wanted);
            if (place.other == nullptr || has_former != replaced) continue;
            if (dependable - (place.other->settled ? 1 : 0) < least) continue;
            dismiss(turn, crew, place.other, Reason::rollback, state.rollout->failure);
            return true;
        }
    }
    return false;
}

bool former_serves_alone(const State& state, const Crew& crew) {
    for (const Crew::Place& place : crew.places) {
        if (place.other != nullptr) return false;  // left by a rollout before that ended mixed
    }
    for (const auto& [id, worker] : state.workers) {
        if (worker.generation == state.rollout->next.generation) return false;
    }
    return all_ready(crew);
}

std::string describe_missing(const State& state, const Crew& crew) {
    std::vector<std::string> missing;
    for (std::size_t slot = 0; slot < crew.places.size(); ++slot) {
        const Crew::Place& place = crew.places[slot];
        if (place.wanted != nullptr && is_ready(*place.wanted)) continue;
        std::string text = "slot " + std::to_string(slot);
        if (place.other != nullptr) text += " (served by worker " + name_of(*place.other) + ")";
        if (!state.slots[slot].last_failure.empty()) text += " (" + state.slots[slot].last_failure + ")";
        missing.push_back(text);
    }
    if (missing.empty()) return "some of the new workers have not ended yet";
    return "not brought back: " + list_of(missing) +
           "; a slot that nobody serves is tried again with growing pauses, the others stay so until the next restart";
}

}  // namespace

void advance_rollback(Turn& turn) {
    State& state = turn.state;
    Crew crew = take_crew(state, state.rollout->former.generation);
    dismiss_surplus(turn, crew);
    dismiss_unready(turn, crew);
    recall_paused(turn, crew);
    while (bring_back(turn, crew) || release_new(turn, crew)) {
    }
    if (!former_serves_alone(state, crew)) return;
    finish_rollback(turn, Outcome::Result::failed,
                    name_of(state.rollout->former.generation) + " serves with " + workers(state.target));
}

void give_up_rollback(Turn& turn) {
    const State& state = turn.state;
    const Crew crew = take_crew(turn.state, state.rollout->former.generation);
    finish_rollback(turn, Outcome::Result::mixed, describe_missing(state, crew));
}

}  // namespace holdfast::core
