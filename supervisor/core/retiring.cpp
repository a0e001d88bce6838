#include "core/retiring.hpp"

#include "core/bounds.hpp"
#include "core/describe/text.hpp"
#include "core/worker_transitions.hpp"

namespace holdfast::core {
namespace {

bool can_be_paused(const Worker& worker) {
    return is_ready(worker) && can_receive(worker, Stage::pause) && can_receive(worker, Stage::run);
}

std::string reason_for_leaving(const State& state) {
    const Rollout& rollout = *state.rollout;
    return std::string(noun_of(rollout.kind)) + " asked for by " + rollout.asked_by;
}

void pause(StepContext& context, Roster& roster, Worker& old) {
    const State& state = context.state;
    old.reason = Reason::restart;
    old.why =
        "paused for the probation of " + name_of(state.rollout->next.generation) + "; " + reason_for_leaving(state);
    old.pause_for = replacement_bound(state.policy, state.target) + state.policy.probation;
    apply(context, old, Trigger::asked_to_pause);
    --roster.staying;
}

}  // namespace

bool replaces_all_at_once(const State& state) { return surge(state.policy, state.target) >= state.target; }

bool waits_for_probation(const State& state, const Worker& old) {
    if (state.policy.probation == Duration::zero()) return false;
    if (old.state == WorkerState::paused) return true;
    return state.rollout->committed && replaces_all_at_once(state) && is_ready(old) && !can_be_paused(old);
}

Retired retire(StepContext& context, Roster& roster, Roster::RosterSlot& roster_slot) {
    const State& state = context.state;
    if (state.policy.probation > 0s && can_be_paused(*roster_slot.other)) {
        pause(context, roster, *roster_slot.other);
        return Retired::yes;
    }
    if (waits_for_probation(state, *roster_slot.other)) return Retired::no;
    ask_to_leave(context, roster, roster_slot.other, Reason::restart, reason_for_leaving(state));
    return Retired::yes;
}

void ask_old_to_leave(StepContext& context, Roster& roster) {
    for (Roster::RosterSlot& roster_slot : roster.slots) {
        if (roster_slot.other != nullptr)
            ask_to_leave(context, roster, roster_slot.other, Reason::restart, reason_for_leaving(context.state));
    }
}

}  // namespace holdfast::core
