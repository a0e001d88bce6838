#include "core/shutdown.hpp"

#include <algorithm>
#include <utility>

#include "core/admission.hpp"
#include "core/bounds.hpp"
#include "core/describe/text.hpp"
#include "core/pending.hpp"
#include "core/rollout.hpp"
#include "core/rollout_end.hpp"
#include "core/scaling.hpp"
#include "core/service_manager.hpp"
#include "core/worker_transitions.hpp"

namespace holdfast::core {
namespace {

// The outcome for the requests that the shutdown ends: `interrupted` by a stop; `refused` if the first generation
// failed, because the queued changes can never be made.
Outcome outcome_of_interrupted(Shutdown::Cause cause) {
    if (cause == Shutdown::Cause::stop) return {Outcome::Result::interrupted, "the service is being stopped", {}, 1};
    return {Outcome::Result::refused, "the first generation did not get ready: the service ends", {}, 1};
}

void interrupt_changes(StepContext& context, Shutdown::Cause cause) {
    State& state = context.state;
    const Outcome outcome = outcome_of_interrupted(cause);
    state.first_generation.reset();
    state.pause.reset();
    restore_policy(state);
    if (auto rollout = std::exchange(state.rollout, std::nullopt)) {
        abandon_rollout(context, *rollout);
        context.answer(rollout->askers, outcome);
        context.answer(rollout->undo_askers, outcome);
    }
    if (auto scaling = std::exchange(state.scaling, std::nullopt)) context.answer(scaling->askers, outcome);
    drop_pending(context, outcome);
}

// Describes the effect of the next stop signal on the worker in the earliest stage.
std::string describe_next(const State& state) {
    WorkerState least = WorkerState::gone;
    for (const auto& [id, worker] : state.workers) least = std::min(least, worker.state);
    const std::string prefix = "; another one, at least " + seconds(min_stop_interval) + " later, ";
    switch (least) {
        case WorkerState::lame_duck:
            return prefix + "drains every worker now";
        case WorkerState::draining:
            return prefix + "cancels the remaining work";
        case WorkerState::cancelling:
            return prefix + "kills the remaining workers";
        default:
            return "";
    }
}

}  // namespace

void begin_shutdown(StepContext& context, Shutdown::Cause cause, const std::string& why, LameDuck lame_duck) {
    State& state = context.state;
    interrupt_changes(context, cause);
    state.shutdown = Shutdown{cause, cause == Shutdown::Cause::stop ? 0 : 1, context.now, {}, why};
    context.record(state.serving.generation, "draining", why);
    context.add(ManagerStopping{});
    for (auto& [id, worker] : state.workers) ask_to_leave(context, worker, {Reason::stop, why, lame_duck});
    if (state.workers.empty()) return;
    context.note(Level::info, "stop_started",
                 why + ": " + workers(static_cast<int>(state.workers.size())) +
                     " told to leave; the stop ends within " + seconds(end_bound(state.policy)) + describe_next(state));
}

void escalate_shutdown(StepContext& context, RequestId asker, const std::string& asked_by) {
    State& state = context.state;
    Shutdown& shutdown = *state.shutdown;
    if (asker.value != 0) {
        shutdown.askers.push_back(asker);
        return;
    }
    if (context.now - shutdown.last_accepted < min_stop_interval) {
        context.note(Level::info, "stop_ignored",
                     asked_by + " came less than " + seconds(min_stop_interval) + " after the previous one: ignored" +
                         describe_next(state));
        return;
    }
    shutdown.last_accepted = context.now;
    for (auto& [id, worker] : state.workers) apply(context, worker, Trigger::skipped);
    context.note(Level::warning, "stop_skipped",
                 asked_by + ": every worker moves to its next stage" + describe_next(state));
}

bool can_be_undone(const State& state) {
    return state.shutdown && state.shutdown->cause == Shutdown::Cause::stop && state.has_served;
}

void undo_shutdown(StepContext& context, RequestId asker, const std::string& asked_by) {
    State& state = context.state;
    const Shutdown shutdown = *std::exchange(state.shutdown, std::nullopt);
    const std::string text = "the stop was undone by " + asked_by;
    context.note(Level::warning, "stop_undone", text);
    context.answer(shutdown.askers, {Outcome::Result::undone, text, {}, 1});
    accept_on_removed_listeners(context);
    begin_undo_of_stop(context, asker, asked_by);
}

void advance_shutdown(StepContext& context) {
    State& state = context.state;
    if (!state.workers.empty()) return;
    const Shutdown& shutdown = *state.shutdown;
    state.finished = true;
    std::string text = "all workers are gone; exit status " + std::to_string(shutdown.exit_code);
    if (shutdown.exit_code == 3) text += ": some were cancelled or killed with work left, see above";
    context.note(Level::info, "finished", text);
    for (const RequestId asker : shutdown.askers) {
        context.answer(asker, {Outcome::Result::done, text, {}, shutdown.exit_code});
    }
    report_status(context);
    context.add(Finish{shutdown.exit_code});
}

}  // namespace holdfast::core
