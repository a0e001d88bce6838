#include "core/scaling.hpp"

#include <algorithm>
#include <utility>

#include "core/bounds.hpp"
#include "core/crashes.hpp"
#include "core/describe/text.hpp"
#include "core/roster.hpp"

namespace holdfast::core {
namespace {

bool removed_workers_are_gone(const State& state) {
    return std::none_of(state.workers.begin(), state.workers.end(), [&](const auto& entry) {
        return entry.second.slot.value >= static_cast<std::uint64_t>(state.target);
    });
}

// Workers of any generation count: after a failed rollout a slot may be served by another generation.
bool is_served(const Roster::RosterSlot& roster_slot) {
    return (roster_slot.wanted != nullptr && is_ready(*roster_slot.wanted)) ||
           (roster_slot.other != nullptr && is_ready(*roster_slot.other));
}

std::string describe_unready(const State& state, const Roster& roster) {
    std::vector<std::string> unready;
    for (std::size_t slot = 0; slot < roster.slots.size(); ++slot) {
        if (is_served(roster.slots[slot])) continue;
        const Slot& record = state.slots[slot];
        unready.push_back("slot " + std::to_string(slot) +
                          (record.last_failure.empty() ? "" : " (" + record.last_failure + ")"));
    }
    return list_of(unready);
}

}  // namespace

void begin_scaling(StepContext& context, const std::vector<RequestId>& askers, const std::string& asked_by, int target,
                   const std::string& before) {
    State& state = context.state;
    reset_crashes(state);
    context.note(Level::info, "scale_started",
                 "from " + std::to_string(state.target) + " to " + workers(target) + ", asked for by " + asked_by);
    state.scaling =
        Scaling{Scaling::Kind::scale, askers, asked_by, state.target, context.now + start_bound(state.policy), before};
    state.target = target;
    state.slots.resize(std::max(state.slots.size(), static_cast<std::size_t>(target)));
}

void begin_undo_of_stop(StepContext& context, RequestId asker, const std::string& asked_by) {
    State& state = context.state;
    reset_crashes(state);
    state.scaling =
        Scaling{Scaling::Kind::undo_of_stop, {asker}, asked_by, state.target, context.now + undo_bound(state.policy),
                "the stop was undone: "};
}

void fill_slots(StepContext& context) {
    State& state = context.state;
    Roster roster = build_roster(state, state.serving.generation);
    record_settled(context, roster, state.serving.generation);
    ask_surplus_to_leave(context, roster);
    for (std::size_t slot = 0; slot < roster.slots.size(); ++slot) {
        Roster::RosterSlot& roster_slot = roster.slots[slot];
        // An incomplete rollback can leave two workers in one slot: the ready one keeps it.
        if (roster_slot.other != nullptr && roster_slot.wanted != nullptr) {
            Worker*& leaver = is_ready(*roster_slot.wanted) ? roster_slot.other : roster_slot.wanted;
            ask_to_leave(context, roster, leaver, Reason::rollback, "another worker has its slot");
        }
        if (roster_slot.wanted == nullptr && roster_slot.other == nullptr)
            fill_slot(context, roster, slot, state.serving);
    }
}

void advance_scaling(StepContext& context) {
    State& state = context.state;
    const Roster roster = build_roster(state, state.serving.generation);
    if (!std::all_of(roster.slots.begin(), roster.slots.end(), is_served) || !removed_workers_are_gone(state)) return;
    const Scaling scaling = *std::exchange(state.scaling, std::nullopt);
    const bool undone = scaling.kind == Scaling::Kind::undo_of_stop;
    const std::string text =
        scaling.before + (undone ? workers(state.target) + " serve again"
                                 : "scaled from " + std::to_string(scaling.from) + " to " + workers(state.target));
    if (undone) context.add(ManagerReady{});
    context.note(Level::info, undone ? "stop_undone" : "scale_done", text);
    context.answer(scaling.askers, {Outcome::Result::done, text, {}, 0});
}

void fail_scaling_if_unready(StepContext& context) {
    State& state = context.state;
    const Roster roster = build_roster(state, state.serving.generation);
    const auto unready = std::find_if_not(roster.slots.begin(), roster.slots.end(), is_served);
    if (unready == roster.slots.end()) {
        state.scaling->deadline = never;  // only removed workers are left, and each has its own deadline
        return;
    }
    const Scaling scaling = *std::exchange(state.scaling, std::nullopt);
    const auto slot = static_cast<std::size_t>(unready - roster.slots.begin());
    const std::string text = scaling.before + "not ready in time: " + describe_unready(state, roster) +
                             "; the target stays at " + std::to_string(state.target);
    context.note(Level::error, "scale_done", text);
    context.answer(scaling.askers, {Outcome::Result::failed, text, state.slots[slot].last_words, 1});
}

}  // namespace holdfast::core
