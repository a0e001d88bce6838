#include "core/rollback.hpp"

#include <utility>

#include "core/bounds.hpp"
#include "core/describe/text.hpp"
#include "core/rollout_end.hpp"
#include "core/roster.hpp"
#include "core/worker_transitions.hpp"

namespace holdfast::core {
namespace {

void ask_unready_to_leave(StepContext& context, Roster& roster) {
    for (Roster::RosterSlot& roster_slot : roster.slots) {
        if (roster_slot.other == nullptr || is_ready(*roster_slot.other)) continue;
        ask_to_leave(context, roster, roster_slot.other, Reason::rollback, context.state.rollout->failure);
    }
}

// Recalls the paused workers regardless of max-surge: they already exist.
void recall_paused(StepContext& context, Roster& roster) {
    for (Roster::RosterSlot& roster_slot : roster.slots) {
        if (roster_slot.wanted == nullptr || roster_slot.wanted->state != WorkerState::paused ||
            roster_slot.wanted->recalled)
            continue;
        if (!can_receive(*roster_slot.wanted, Stage::run)) {
            ask_to_leave(context, roster, roster_slot.wanted, Reason::rollback, "it cannot be told to accept again");
            continue;
        }
        recall(context, *roster_slot.wanted);
        ++roster.staying;
    }
}

bool restore_former_workers(StepContext& context, Roster& roster) {
    const State& state = context.state;
    const int room = state.target + surge(state.policy, state.target);
    bool changed = false;
    for (const bool beside_new : {false, true}) {
        for (std::size_t slot = 0; slot < roster.slots.size() && roster.staying < room; ++slot) {
            const Roster::RosterSlot& roster_slot = roster.slots[slot];
            if (roster_slot.wanted != nullptr || (roster_slot.other != nullptr) != beside_new) continue;
            changed |= fill_slot(context, roster, slot, state.rollout->former);
        }
    }
    return changed;
}

bool is_waiting_for_room(const StepContext& context, const Roster& roster) {
    const State& state = context.state;
    if (roster.staying < state.target + surge(state.policy, state.target)) return false;
    for (std::size_t slot = 0; slot < roster.slots.size(); ++slot) {
        const auto& next_attempt = state.slots[slot].next_attempt;
        if (roster.slots[slot].wanted == nullptr && (!next_attempt || *next_attempt <= context.now)) return true;
    }
    return false;
}

// Asks one ready new worker to leave if enough dependable workers remain: `target`, or target - max-unavailable while a
// former worker waits for room. Returns true if it did.
bool release_new_workers(StepContext& context, Roster& roster) {
    const State& state = context.state;
    const int fewest = state.target - unavailable(state.policy, state.target);
    const int least = is_waiting_for_room(context, roster) ? fewest : state.target;
    const int dependable = count_dependable(roster, state.rollout->next.generation);
    for (const bool replaced : {true, false}) {
        for (Roster::RosterSlot& roster_slot : roster.slots) {
            const bool has_former = roster_slot.wanted != nullptr && is_ready(*roster_slot.wanted);
            if (roster_slot.other == nullptr || has_former != replaced) continue;
            if (dependable - (roster_slot.other->settled ? 1 : 0) < least) continue;
            ask_to_leave(context, roster, roster_slot.other, Reason::rollback, state.rollout->failure);
            return true;
        }
    }
    return false;
}

bool former_serves_alone(const State& state, const Roster& roster) {
    for (const Roster::RosterSlot& roster_slot : roster.slots) {
        if (roster_slot.other != nullptr) return false;  // left over from an earlier rollout that ended mixed
    }
    for (const auto& [id, worker] : state.workers) {
        if (worker.generation == state.rollout->next.generation) return false;
    }
    return all_ready(roster);
}

std::string describe_missing(const State& state, const Roster& roster) {
    std::vector<std::string> missing;
    for (std::size_t slot = 0; slot < roster.slots.size(); ++slot) {
        const Roster::RosterSlot& roster_slot = roster.slots[slot];
        if (roster_slot.wanted != nullptr && is_ready(*roster_slot.wanted)) continue;
        std::string text = "slot " + std::to_string(slot);
        if (roster_slot.other != nullptr) text += " (served by worker " + name_of(*roster_slot.other) + ")";
        if (!state.slots[slot].last_failure.empty()) text += " (" + state.slots[slot].last_failure + ")";
        missing.push_back(text);
    }
    if (missing.empty()) return "some of the new workers still run";
    return "not restored: " + list_of(missing) +
           "; an empty slot is retried with growing delays, the others stay as they are until the next restart";
}

}  // namespace

void advance_rollback(StepContext& context) {
    State& state = context.state;
    Roster roster = build_roster(state, state.rollout->former.generation);
    ask_surplus_to_leave(context, roster);
    ask_unready_to_leave(context, roster);
    recall_paused(context, roster);
    while (restore_former_workers(context, roster) || release_new_workers(context, roster)) {
    }
    if (!former_serves_alone(state, roster)) return;
    finish_rollback(context, Outcome::Result::failed,
                    name_of(state.rollout->former.generation) + " serves with " + workers(state.target));
}

void expire_rollback(StepContext& context) {
    const State& state = context.state;
    const Roster roster = build_roster(context.state, state.rollout->former.generation);
    finish_rollback(context, Outcome::Result::mixed, describe_missing(state, roster));
}

}  // namespace holdfast::core
