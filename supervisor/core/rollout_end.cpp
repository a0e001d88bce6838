#include "core/rollout_end.hpp"

#include <algorithm>
#include <utility>

#include "core/crew.hpp"
#include "core/scaling.hpp"
#include "core/words.hpp"

namespace holdfast::core {
namespace {

using Result = Outcome::Result;

// Each keeps directory and program open.
constexpr std::size_t most_good_ones = 3;

// What later rollbacks bring back. One that was rolled back from was not good.
void remember_good(State& state, const Rollout& rollout) {
    if (rollout.kind == Rollout::Kind::rollback) {
        state.good.pop_back();
        return;
    }
    state.good.push_back(rollout.former);
    if (state.good.size() > most_good_ones) state.good.erase(state.good.begin());
}

// The word of the ledger.
std::string_view word_of(Result result) {
    switch (result) {
        case Result::mixed:
            return "mixed";
        case Result::undone:
            return "undone";
        default:
            return "failed";
    }
}

// Who took it back has what he wanted, if the former generation serves.
void answer_undoers(Turn& turn, const Rollout& rollout, Result result, const std::string& text) {
    const bool done = result != Result::mixed;
    turn.answer(rollout.undoers, {done ? Result::done : result, text, {}, done ? 0 : 1});
}

void drop_plan(Turn& turn, const Rollout& rollout) {
    if (rollout.plan.value != 0) turn.add(DropPlan{rollout.plan});
}

void end_back(Turn& turn, Rollout rollout, Result result, const std::string& end) {
    if (!rollout.undone_by.empty() && result != Result::mixed) result = Result::undone;
    const std::string text = rollout.failure + "; " + end;
    drop_plan(turn, rollout);
    turn.record(rollout.next.generation, word_of(result), text);
    turn.note(result == Result::mixed ? Level::error : Level::warning, "rollout_done", text);
    turn.answer(rollout.askers, {result, text, rollout.last_words, 1});
    answer_undoers(turn, rollout, result, text);
}

Rollout take_over(Turn& turn) {
    State& state = turn.state;
    Rollout rollout = *std::exchange(state.rollout, std::nullopt);
    state.serving = rollout.next;
    remember_good(state, rollout);
    close_other_listeners(turn);
    if (rollout.plan.value != 0) turn.add(AdoptPlan{rollout.plan});
    return rollout;
}

// A reload changes the number of workers last.
bool leaves_a_scale(const State& state, const Rollout& rollout) {
    return rollout.former_rules && rollout.former_rules->workers != state.policy.workers;
}

std::string describe_end(const State& state, const Rollout& rollout) {
    std::string text = name_of(rollout.next.generation) + " serves with " + workers(state.target);
    if (!rollout.killed.empty()) text += "; killed at their last deadline: " + list_of(rollout.killed);
    return text;
}

}  // namespace

std::string describe_start(const State& state, const Rollout& rollout) {
    std::string text{noun_of(rollout.kind)};
    text += " to " + name_of(rollout.next.generation);
    if (rollout.kind == Rollout::Kind::rollback) {
        text += " with the program of " + name_of(state.good.back().generation);
    }
    return text + ", asked for by " + rollout.asked_by;
}

void finish_rollout(Turn& turn) {
    State& state = turn.state;
    const Rollout rollout = take_over(turn);
    const std::string text = describe_end(state, rollout);
    turn.record(rollout.next.generation, "done", text);
    turn.note(Level::info, "rollout_done", text);
    if (leaves_a_scale(state, rollout)) {
        return begin_scaling(turn, rollout.askers, rollout.asked_by, state.policy.workers, text + "; ");
    }
    turn.answer(rollout.askers, {Result::done, text, {}, 0});
}

void finish_rollout_short(Turn& turn) {
    const State& state = turn.state;
    const Rollout rollout = take_over(turn);
    const Crew crew = take_crew(turn.state, rollout.next.generation);
    std::string text = name_of(rollout.next.generation) + " has taken over, but it is short of workers";
    std::vector<std::string> last_words;
    for (std::size_t slot = 0; slot < crew.places.size(); ++slot) {
        const Worker* worker = crew.places[slot].wanted;
        if (worker != nullptr && is_ready(*worker) && worker->settled) continue;
        text += "; slot " + std::to_string(slot) + " does not serve";
        if (!state.slots[slot].last_failure.empty()) text += ": " + state.slots[slot].last_failure;
        last_words = state.slots[slot].last_words;
    }
    text += "; tried again with growing pauses";
    turn.record(rollout.next.generation, "failed", text);
    turn.note(Level::error, "rollout_done", text);
    turn.answer(rollout.askers, {Result::failed, text, last_words, 1});
    if (leaves_a_scale(state, rollout)) begin_scaling(turn, {}, rollout.asked_by, state.policy.workers, {});
}

void refuse_rollout(Turn& turn) {
    restore_rules(turn.state);
    const Rollout rollout = *std::exchange(turn.state.rollout, std::nullopt);
    end_back(turn, rollout, Result::refused, "nothing was changed");
}

void finish_rollback(Turn& turn, Result result, const std::string& end) {
    const Rollout rollout = *std::exchange(turn.state.rollout, std::nullopt);
    end_back(turn, rollout, result, end);
}

void close_other_listeners(Turn& turn) {
    State& state = turn.state;
    if (!state.holds_other_listeners || state.rollout || state.ending) return;
    const bool alone =
        std::ranges::all_of(state.workers, [&](const auto& entry) { return entry.second.spec == state.serving.spec; });
    if (!alone) return;
    state.holds_other_listeners = false;
    state.other_doors = Doors::accept;  // they are gone
    turn.add(ServeWith{state.serving.spec});
}

void restore_rules(State& state) {
    if (state.rollout && state.rollout->former_rules)
        state.policy = *std::exchange(state.rollout->former_rules, std::nullopt);
}

}  // namespace holdfast::core
