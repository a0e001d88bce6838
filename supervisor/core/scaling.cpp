#include "core/scaling.hpp"

#include <algorithm>
#include <utility>

#include "core/bounds.hpp"
#include "core/crashes.hpp"
#include "core/crew.hpp"
#include "core/words.hpp"

namespace holdfast::core {
namespace {

bool removed_ones_are_gone(const State& state) {
    return std::none_of(state.workers.begin(), state.workers.end(), [&](const auto& entry) {
        return entry.second.slot.value >= static_cast<std::uint64_t>(state.target);
    });
}

// Workers of whatever generation count here: after a failed rollout a slot may be served by another one.
bool is_served(const Crew::Place& place) {
    return (place.wanted != nullptr && is_ready(*place.wanted)) || (place.other != nullptr && is_ready(*place.other));
}

std::string describe_unready(const State& state, const Crew& crew) {
    std::vector<std::string> unready;
    for (std::size_t slot = 0; slot < crew.places.size(); ++slot) {
        if (is_served(crew.places[slot])) continue;
        const Slot& record = state.slots[slot];
        unready.push_back("slot " + std::to_string(slot) +
                          (record.last_failure.empty() ? "" : " (" + record.last_failure + ")"));
    }
    return list_of(unready);
}

}  // namespace

void begin_scaling(Turn& turn, const std::vector<RequestId>& askers, const std::string& asked_by, int target,
                   const std::string& before) {
    State& state = turn.state;
    forgive_crashes(state);
    turn.note(Level::info, "scale_started",
              "from " + std::to_string(state.target) + " to " + workers(target) + ", asked for by " + asked_by);
    state.scaling =
        Scaling{Scaling::Kind::scale, askers, asked_by, state.target, turn.now + start_bound(state.policy), before};
    state.target = target;
    state.slots.resize(std::max(state.slots.size(), static_cast<std::size_t>(target)));
}

void begin_return(Turn& turn, RequestId asker, const std::string& asked_by) {
    State& state = turn.state;
    forgive_crashes(state);
    state.scaling =
        Scaling{Scaling::Kind::undo_of_stop, {asker}, asked_by, state.target, turn.now + undo_bound(state.policy),
                "the stop was undone: "};
}

void keep_slots(Turn& turn) {
    State& state = turn.state;
    Crew crew = take_crew(state, state.serving.generation);
    record_settled(turn, crew, state.serving.generation);
    dismiss_surplus(turn, crew);
    for (std::size_t slot = 0; slot < crew.places.size(); ++slot) {
        Crew::Place& place = crew.places[slot];
        // What a rollback could not finish: whoever serves keeps the place.
        if (place.other != nullptr && place.wanted != nullptr) {
            Worker*& leaver = is_ready(*place.wanted) ? place.other : place.wanted;
            dismiss(turn, crew, leaver, Reason::rollback, "its place is taken");
        }
        if (place.wanted == nullptr && place.other == nullptr) fill(turn, crew, slot, state.serving);
    }
}

void advance_scaling(Turn& turn) {
    State& state = turn.state;
    const Crew crew = take_crew(state, state.serving.generation);
    if (!std::all_of(crew.places.begin(), crew.places.end(), is_served) || !removed_ones_are_gone(state)) return;
    const Scaling scaling = *std::exchange(state.scaling, std::nullopt);
    const bool undone = scaling.kind == Scaling::Kind::undo_of_stop;
    const std::string text =
        scaling.before + (undone ? workers(state.target) + " serve again"
                                 : "scaled from " + std::to_string(scaling.from) + " to " + workers(state.target));
    if (undone) turn.add(ManagerReady{});
    turn.note(Level::info, undone ? "stop_undone" : "scale_done", text);
    turn.answer(scaling.askers, {Outcome::Result::done, text, {}, 0});
}

void fail_scaling_if_unready(Turn& turn) {
    State& state = turn.state;
    const Crew crew = take_crew(state, state.serving.generation);
    const auto unready = std::find_if_not(crew.places.begin(), crew.places.end(), is_served);
    if (unready == crew.places.end()) {
        state.scaling->deadline = never;  // what is left is that the others end, and they have deadlines of their own
        return;
    }
    const Scaling scaling = *std::exchange(state.scaling, std::nullopt);
    const auto slot = static_cast<std::size_t>(unready - crew.places.begin());
    const std::string text = scaling.before + "not ready in time: " + describe_unready(state, crew) +
                             "; the target stays at " + std::to_string(state.target);
    turn.note(Level::error, "scale_done", text);
    turn.answer(scaling.askers, {Outcome::Result::failed, text, state.slots[slot].last_words, 1});
}

}  // namespace holdfast::core
