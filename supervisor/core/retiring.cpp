#include "core/retiring.hpp"

#include "core/bounds.hpp"
#include "core/ladder.hpp"
#include "core/words.hpp"

namespace holdfast::core {
namespace {

bool can_be_paused(const Worker& worker) {
    return is_ready(worker) && can_be_told(worker, Stage::pause) && can_be_told(worker, Stage::run);
}

std::string reason_for_leaving(const State& state) {
    const Rollout& rollout = *state.rollout;
    return std::string(noun_of(rollout.kind)) + " asked for by " + rollout.asked_by;
}

void pause(Turn& turn, Crew& crew, Worker& old) {
    const State& state = turn.state;
    old.reason = Reason::restart;
    old.why =
        "paused for the probation of " + name_of(state.rollout->next.generation) + "; " + reason_for_leaving(state);
    old.pause_for = replacement_bound(state.policy, state.target) + state.policy.probation;
    apply(turn, old, Trigger::asked_to_pause);
    --crew.staying;
}

}  // namespace

bool is_wave(const State& state) { return surge(state.policy, state.target) >= state.target; }

bool waits_for_probation(const State& state, const Worker& old) {
    if (state.policy.probation == Duration::zero()) return false;
    if (old.state == WorkerState::paused) return true;
    return state.rollout->committed && is_wave(state) && is_ready(old) && !can_be_paused(old);
}

Retired retire(Turn& turn, Crew& crew, Crew::Place& place) {
    const State& state = turn.state;
    if (state.policy.probation > 0s && can_be_paused(*place.other)) {
        pause(turn, crew, *place.other);
        return Retired::yes;
    }
    if (waits_for_probation(state, *place.other)) return Retired::no;
    dismiss(turn, crew, place.other, Reason::restart, reason_for_leaving(state));
    return Retired::yes;
}

void dismiss_old(Turn& turn, Crew& crew) {
    for (Crew::Place& place : crew.places) {
        if (place.other != nullptr) dismiss(turn, crew, place.other, Reason::restart, reason_for_leaving(turn.state));
    }
}

}  // namespace holdfast::core
