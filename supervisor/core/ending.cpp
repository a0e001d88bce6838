#include "core/ending.hpp"

#include <algorithm>
#include <utility>

#include "core/bounds.hpp"
#include "core/doors.hpp"
#include "core/ladder.hpp"
#include "core/manager.hpp"
#include "core/pending.hpp"
#include "core/rollout.hpp"
#include "core/rollout_end.hpp"
#include "core/scaling.hpp"
#include "core/words.hpp"

namespace holdfast::core {
namespace {

// A stop interrupts what is under way; where the first generation failed, what waited for it cannot be done at all.
Outcome outcome_of_interrupted(Ending::Cause cause) {
    if (cause == Ending::Cause::stop) return {Outcome::Result::interrupted, "the service is being stopped", {}, 1};
    return {Outcome::Result::refused, "the first generation did not get ready: the service ends", {}, 1};
}

void interrupt_changes(Turn& turn, Ending::Cause cause) {
    State& state = turn.state;
    const Outcome outcome = outcome_of_interrupted(cause);
    state.first_generation.reset();
    state.pause.reset();
    restore_rules(state);
    if (auto rollout = std::exchange(state.rollout, std::nullopt)) {
        abandon_rollout(turn, *rollout);
        turn.answer(rollout->askers, outcome);
        turn.answer(rollout->undoers, outcome);
    }
    if (auto scaling = std::exchange(state.scaling, std::nullopt)) turn.answer(scaling->askers, outcome);
    drop_pending(turn, outcome);
}

// What the next stop would do: to the worker that has come least far.
std::string describe_next(const State& state) {
    WorkerState least = WorkerState::gone;
    for (const auto& [id, worker] : state.workers) least = std::min(least, worker.state);
    const std::string prefix = "; one more, " + seconds(skip_not_before) + " later or more, ";
    switch (least) {
        case WorkerState::lame_duck:
            return prefix + "tells every worker to drain";
        case WorkerState::draining:
            return prefix + "cancels what is still being done";
        case WorkerState::cancelling:
            return prefix + "kills what is left";
        default:
            return "";
    }
}

}  // namespace

void begin_ending(Turn& turn, Ending::Cause cause, const std::string& why, LameDuck lame_duck) {
    State& state = turn.state;
    interrupt_changes(turn, cause);
    state.ending = Ending{cause, cause == Ending::Cause::stop ? 0 : 1, turn.now, {}, why};
    turn.record(state.serving.generation, "draining", why);
    turn.add(ManagerStopping{});
    for (auto& [id, worker] : state.workers) ask_to_leave(turn, worker, {Reason::stop, why, lame_duck});
    if (state.workers.empty()) return;
    turn.note(Level::info, "stop_started",
              why + ": " + workers(static_cast<int>(state.workers.size())) + " told to leave, over in " +
                  seconds(end_bound(state.policy)) + " at the latest" + describe_next(state));
}

void hurry_ending(Turn& turn, RequestId asker, const std::string& asked_by) {
    State& state = turn.state;
    Ending& ending = *state.ending;
    if (asker.value != 0) {
        ending.askers.push_back(asker);
        return;
    }
    if (turn.now - ending.last_accepted < skip_not_before) {
        turn.note(Level::info, "stop_ignored",
                  asked_by + " came within " + seconds(skip_not_before) + " of the one before" + describe_next(state));
        return;
    }
    ending.last_accepted = turn.now;
    for (auto& [id, worker] : state.workers) apply(turn, worker, Trigger::skipped);
    turn.note(Level::warning, "stop_skipped", asked_by + ": every worker one stage on" + describe_next(state));
}

bool can_be_undone(const State& state) {
    return state.ending && state.ending->cause == Ending::Cause::stop && state.has_served;
}

void undo_ending(Turn& turn, RequestId asker, const std::string& asked_by) {
    State& state = turn.state;
    const Ending ending = *std::exchange(state.ending, std::nullopt);
    const std::string text = "the stop was undone by " + asked_by;
    turn.note(Level::warning, "stop_undone", text);
    turn.answer(ending.askers, {Outcome::Result::undone, text, {}, 1});
    accept_for_others(turn);
    begin_return(turn, asker, asked_by);
}

void advance_ending(Turn& turn) {
    State& state = turn.state;
    if (!state.workers.empty()) return;
    const Ending& ending = *state.ending;
    state.finished = true;
    std::string text = "all workers are gone; exit status " + std::to_string(ending.exit_code);
    if (ending.exit_code == 3) text += ": some were cut off, see above";
    turn.note(Level::info, "finished", text);
    for (const RequestId asker : ending.askers) {
        turn.answer(asker, {Outcome::Result::done, text, {}, ending.exit_code});
    }
    say_status(turn);
    turn.add(Finish{ending.exit_code});
}

}  // namespace holdfast::core
