#include "core/rollout_end.hpp"

#include <algorithm>
#include <utility>

#include "core/describe/text.hpp"
#include "core/roster.hpp"
#include "core/scaling.hpp"

namespace holdfast::core {
namespace {

using Result = Outcome::Result;

// Each target keeps its directory and its program open.
constexpr std::size_t max_rollback_targets = 3;

// Updates the targets of later rollbacks. A generation that was rolled back from does not become a target.
void update_rollback_targets(State& state, const Rollout& rollout) {
    if (rollout.kind == Rollout::Kind::rollback) {
        state.rollback_targets.pop_back();
        return;
    }
    state.rollback_targets.push_back(rollout.former);
    if (state.rollback_targets.size() > max_rollback_targets)
        state.rollback_targets.erase(state.rollback_targets.begin());
}

// The event word for the history.
std::string_view history_event_of(Result result) {
    switch (result) {
        case Result::mixed:
            return "mixed";
        case Result::undone:
            return "undone";
        default:
            return "failed";
    }
}

// For an undo request, the outcome is `done` if the former generation serves again.
void answer_undoers(StepContext& context, const Rollout& rollout, Result result, const std::string& text) {
    const bool done = result != Result::mixed;
    context.answer(rollout.undo_askers, {done ? Result::done : result, text, {}, done ? 0 : 1});
}

void drop_plan(StepContext& context, const Rollout& rollout) {
    if (rollout.plan.value != 0) context.add(DropPlan{rollout.plan});
}

void end_rollback(StepContext& context, Rollout rollout, Result result, const std::string& end) {
    if (!rollout.undone_by.empty() && result != Result::mixed) result = Result::undone;
    const std::string text = rollout.failure + "; " + end;
    drop_plan(context, rollout);
    context.record(rollout.next.generation, history_event_of(result), text);
    context.note(result == Result::mixed ? Level::error : Level::warning, "rollout_done", text);
    context.answer(rollout.askers, {result, text, rollout.last_words, 1});
    answer_undoers(context, rollout, result, text);
}

Rollout adopt_next_generation(StepContext& context) {
    State& state = context.state;
    Rollout rollout = *std::exchange(state.rollout, std::nullopt);
    state.serving = rollout.next;
    update_rollback_targets(state, rollout);
    close_removed_listeners(context);
    if (rollout.plan.value != 0) context.add(AdoptPlan{rollout.plan});
    return rollout;
}

// Whether the reload also changes the number of workers, which is done last.
bool leaves_a_scale(const State& state, const Rollout& rollout) {
    return rollout.former_policy && rollout.former_policy->workers != state.policy.workers;
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
        text += " with the program of " + name_of(state.rollback_targets.back().generation);
    }
    return text + ", asked for by " + rollout.asked_by;
}

void finish_rollout(StepContext& context) {
    State& state = context.state;
    const Rollout rollout = adopt_next_generation(context);
    const std::string text = describe_end(state, rollout);
    context.record(rollout.next.generation, "done", text);
    context.note(Level::info, "rollout_done", text);
    if (leaves_a_scale(state, rollout)) {
        return begin_scaling(context, rollout.askers, rollout.asked_by, state.policy.workers, text + "; ");
    }
    context.answer(rollout.askers, {Result::done, text, {}, 0});
}

void finish_rollout_short(StepContext& context) {
    const State& state = context.state;
    const Rollout rollout = adopt_next_generation(context);
    const Roster roster = build_roster(context.state, rollout.next.generation);
    std::string text = name_of(rollout.next.generation) + " has taken over, but it is short of workers";
    std::vector<std::string> last_words;
    for (std::size_t slot = 0; slot < roster.slots.size(); ++slot) {
        const Worker* worker = roster.slots[slot].wanted;
        if (worker != nullptr && is_ready(*worker) && worker->settled) continue;
        text += "; slot " + std::to_string(slot) + " does not serve";
        if (!state.slots[slot].last_failure.empty()) text += ": " + state.slots[slot].last_failure;
        last_words = state.slots[slot].last_words;
    }
    text += "; the launch is retried with growing delays";
    context.record(rollout.next.generation, "failed", text);
    context.note(Level::error, "rollout_done", text);
    context.answer(rollout.askers, {Result::failed, text, last_words, 1});
    if (leaves_a_scale(state, rollout)) begin_scaling(context, {}, rollout.asked_by, state.policy.workers, {});
}

void refuse_rollout(StepContext& context) {
    restore_policy(context.state);
    const Rollout rollout = *std::exchange(context.state.rollout, std::nullopt);
    end_rollback(context, rollout, Result::refused, "nothing was changed");
}

void finish_rollback(StepContext& context, Result result, const std::string& end) {
    const Rollout rollout = *std::exchange(context.state.rollout, std::nullopt);
    end_rollback(context, rollout, result, end);
}

void close_removed_listeners(StepContext& context) {
    State& state = context.state;
    if (!state.may_hold_removed_listeners || state.rollout || state.shutdown) return;
    const bool alone =
        std::ranges::all_of(state.workers, [&](const auto& entry) { return entry.second.spec == state.serving.spec; });
    if (!alone) return;
    state.may_hold_removed_listeners = false;
    state.removed_listener_admission = Admission::accept;  // the listeners are closed
    context.add(ServeWith{state.serving.spec});
}

void restore_policy(State& state) {
    if (state.rollout && state.rollout->former_policy)
        state.policy = *std::exchange(state.rollout->former_policy, std::nullopt);
}

}  // namespace holdfast::core
