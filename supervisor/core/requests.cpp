#include "core/requests.hpp"

#include <algorithm>
#include <utility>

#include "core/describe/text.hpp"
#include "core/pausing.hpp"
#include "core/pending.hpp"
#include "core/rollout.hpp"
#include "core/scaling.hpp"
#include "core/shutdown.hpp"
#include "core/undo.hpp"

namespace holdfast::core {
namespace {

bool change_under_way(const State& state) {
    return state.first_generation || state.rollout || state.scaling || state.shutdown;
}

int wanted_target(const State& state) {
    for (const PendingChange& change : state.pending) {
        if (change.kind == PendingChange::Kind::scale) return change.target;
    }
    return state.target;
}

void handle_scale(StepContext& context, RequestId asker, const std::string& asked_by, std::int64_t target) {
    State& state = context.state;
    if (target < 0 || target > max_workers) {
        return context.refuse(asker, "cannot scale to " + std::to_string(target) +
                                         " workers: the number must be 0 to " + std::to_string(max_workers));
    }
    const int wanted = static_cast<int>(target);
    // A scale replaces the running one at once, unless another change is queued behind it.
    if (state.scaling && state.scaling->kind == Scaling::Kind::scale && state.pending.empty()) {
        supersede(context, state.scaling->askers, asked_by);
        return begin_scaling(context, {asker}, asked_by, wanted, "");
    }
    enqueue(context, {PendingChange::Kind::scale, {asker}, asked_by, wanted, std::nullopt});
}

void handle_stop(StepContext& context, RequestId asker, const std::string& asked_by, const Stop& stop) {
    State& state = context.state;
    if (state.shutdown) return escalate_shutdown(context, asker, asked_by);
    begin_shutdown(context, Shutdown::Cause::stop, "stop asked for by " + asked_by, stop.lame_duck);
    if (asker.value != 0) state.shutdown->askers.push_back(asker);
}

void handle_rollback(StepContext& context, RequestId asker, const std::string& asked_by) {
    enqueue(context, {PendingChange::Kind::rollback, {asker}, asked_by, 0, std::nullopt});
}

void handle_reload(StepContext& context, RequestId asker, const std::string& asked_by, const Reload& reload) {
    enqueue(context, {PendingChange::Kind::reload, {asker}, asked_by, 0, reload});
}

void handle_pause(StepContext& context, RequestId asker, const std::string& asked_by) {
    if (change_under_way(context.state)) {
        return context.refuse(asker, "cannot pause: a change is under way; try again when it has ended");
    }
    pause_workers(context, asker, asked_by);
}

// Dispatches a request to its handler. A request type without an overload does not compile.
struct RequestHandler {
    StepContext& context;
    RequestId id;
    const std::string& asked_by;

    void operator()(const Restart&) const {
        enqueue(context, {PendingChange::Kind::restart, {id}, asked_by, 0, std::nullopt});
    }
    void operator()(const Stop& stop) const { handle_stop(context, id, asked_by, stop); }
    void operator()(const Scale& scale) const { handle_scale(context, id, asked_by, scale.target); }
    void operator()(const ScaleBy& scale) const {
        handle_scale(context, id, asked_by, std::int64_t{wanted_target(context.state)} + scale.difference);
    }
    void operator()(const Pause&) const { handle_pause(context, id, asked_by); }
    void operator()(const Resume&) const { resume_workers(context, id); }
    void operator()(const Rollback&) const { handle_rollback(context, id, asked_by); }
    void operator()(const Undo&) const { undo(context, id, asked_by); }
    void operator()(const Reload& reload) const { handle_reload(context, id, asked_by, reload); }
};

// Requests that are accepted in every phase. All others are refused during a stop, and most of them during a pause.
bool is_always_allowed(const Request& request) {
    return std::holds_alternative<Stop>(request.what) || std::holds_alternative<Undo>(request.what);
}

bool changes_workers(const Request& request) {
    return !is_always_allowed(request) && !std::holds_alternative<Pause>(request.what) &&
           !std::holds_alternative<Resume>(request.what);
}

// Refuses a request and drops its plan, if it has one.
void refuse_request(StepContext& context, const Asked& event, const std::string& text) {
    if (const auto* reload = std::get_if<Reload>(&event.request.what)) context.add(DropPlan{reload->plan});
    context.refuse(event.id, text);
}

// Applies a reload that needs no rollout: nothing that workers see has changed.
void apply_reloaded_policy(StepContext& context, const PendingChange& change) {
    State& state = context.state;
    const int workers_before = state.policy.workers;
    state.policy = *change.reload->policy;
    state.serving.health = health_settings_of(state.policy);
    context.add(AdoptPlan{change.reload->plan});
    const std::string text =
        change.reload->changes.empty() ? "nothing has changed" : "reloaded: " + change.reload->changes;
    context.note(Level::info, "reload_done", text + ", asked for by " + change.asked_by);
    if (state.policy.workers != workers_before) {
        return begin_scaling(context, change.askers, change.asked_by, state.policy.workers, text + "; ");
    }
    context.answer(change.askers, {Outcome::Result::done, text, {}, 0});
}

// Checks for a target again: an earlier rollback may have used the last one while this request was queued.
void begin_rollback(StepContext& context, const PendingChange& change) {
    if (!context.state.rollback_targets.empty()) return begin_rollout(context, change);
    const std::string text =
        "cannot roll back: no earlier generation has served, or it was already rolled back to; `holdfast restart` "
        "launches the program as it is now";
    context.note(Level::warning, "request_refused", text);
    context.answer(change.askers, {Outcome::Result::refused, text, {}, 1});
}

void begin(StepContext& context, const PendingChange& change) {
    switch (change.kind) {
        case PendingChange::Kind::restart:
            return begin_rollout(context, change);
        case PendingChange::Kind::rollback:
            return begin_rollback(context, change);
        case PendingChange::Kind::reload:
            if (change.reload->workers == Reload::Workers::replace) return begin_rollout(context, change);
            return apply_reloaded_policy(context, change);
        case PendingChange::Kind::scale:
            return begin_scaling(context, change.askers, change.asked_by, change.target, "");
    }
}

}  // namespace

void on_asked(StepContext& context, const Asked& event) {
    const State& state = context.state;
    if (state.shutdown && !is_always_allowed(event.request)) {
        return refuse_request(context, event, "the service is being stopped; run `holdfast undo` to cancel the stop");
    }
    if (state.pause && changes_workers(event.request)) {
        return refuse_request(context, event,
                              "the service is paused by " + state.pause->asked_by + "; run `holdfast resume` first");
    }
    std::visit(RequestHandler{context, event.id, event.request.asked_by}, event.request.what);
}

bool begin_next_change(StepContext& context) {
    State& state = context.state;
    if (change_under_way(state) || state.pending.empty()) return false;
    const PendingChange change = state.pending.front();
    state.pending.erase(state.pending.begin());
    begin(context, change);
    return true;
}

}  // namespace holdfast::core
