#include "core/requests.hpp"

#include <algorithm>
#include <utility>

#include "core/ending.hpp"
#include "core/pausing.hpp"
#include "core/pending.hpp"
#include "core/rollout.hpp"
#include "core/scaling.hpp"
#include "core/undo.hpp"
#include "core/words.hpp"

namespace holdfast::core {
namespace {

bool change_under_way(const State& state) {
    return state.first_generation || state.rollout || state.scaling || state.ending;
}

int wanted_target(const State& state) {
    for (const PendingChange& change : state.pending) {
        if (change.kind == PendingChange::Kind::scale) return change.target;
    }
    return state.target;
}

void ask_scale(Turn& turn, RequestId asker, const std::string& asked_by, std::int64_t target) {
    State& state = turn.state;
    if (target < 0 || target > max_workers) {
        return turn.refuse(asker, "cannot scale to " + std::to_string(target) + " workers: 0 to " +
                                      std::to_string(max_workers) + " can be had");
    }
    const int wanted = static_cast<int>(target);
    // The latest wins at once, unless somebody else waits for this change to end.
    if (state.scaling && state.scaling->kind == Scaling::Kind::scale && state.pending.empty()) {
        supersede(turn, state.scaling->askers, asked_by);
        return begin_scaling(turn, {asker}, asked_by, wanted, "");
    }
    enqueue(turn, {PendingChange::Kind::scale, {asker}, asked_by, wanted, std::nullopt});
}

void ask_stop(Turn& turn, RequestId asker, const std::string& asked_by, const Stop& stop) {
    State& state = turn.state;
    if (state.ending) return hurry_ending(turn, asker, asked_by);
    begin_ending(turn, Ending::Cause::stop, "stop asked for by " + asked_by, stop.lame_duck);
    if (asker.value != 0) state.ending->askers.push_back(asker);
}

void ask_rollback(Turn& turn, RequestId asker, const std::string& asked_by) {
    enqueue(turn, {PendingChange::Kind::rollback, {asker}, asked_by, 0, std::nullopt});
}

void ask_reload(Turn& turn, RequestId asker, const std::string& asked_by, const Reload& reload) {
    enqueue(turn, {PendingChange::Kind::reload, {asker}, asked_by, 0, reload});
}

void ask_pause(Turn& turn, RequestId asker, const std::string& asked_by) {
    if (change_under_way(turn.state)) {
        return turn.refuse(asker, "cannot pause: a change is under way; ask again when it is over");
    }
    pause_workers(turn, asker, asked_by);
}

// One overload for each request: a request without one does not compile.
struct Asking {
    Turn& turn;
    RequestId id;
    const std::string& asked_by;

    void operator()(const Restart&) const {
        enqueue(turn, {PendingChange::Kind::restart, {id}, asked_by, 0, std::nullopt});
    }
    void operator()(const Stop& stop) const { ask_stop(turn, id, asked_by, stop); }
    void operator()(const Scale& scale) const { ask_scale(turn, id, asked_by, scale.target); }
    void operator()(const ScaleBy& scale) const {
        ask_scale(turn, id, asked_by, std::int64_t{wanted_target(turn.state)} + scale.difference);
    }
    void operator()(const Pause&) const { ask_pause(turn, id, asked_by); }
    void operator()(const Resume&) const { resume_workers(turn, id); }
    void operator()(const Rollback&) const { ask_rollback(turn, id, asked_by); }
    void operator()(const Undo&) const { undo(turn, id, asked_by); }
    void operator()(const Reload& reload) const { ask_reload(turn, id, asked_by, reload); }
};

// Only a stop may come at any time; the end of a pause and of a change are waited for by whom they concern.
bool is_of_any_time(const Request& request) {
    return std::holds_alternative<Stop>(request.what) || std::holds_alternative<Undo>(request.what);
}

bool changes_workers(const Request& request) {
    return !is_of_any_time(request) && !std::holds_alternative<Pause>(request.what) &&
           !std::holds_alternative<Resume>(request.what);
}

// A plan that will not be carried out is not held any longer.
void refuse_request(Turn& turn, const Asked& event, const std::string& text) {
    if (const auto* reload = std::get_if<Reload>(&event.request.what)) turn.add(DropPlan{reload->plan});
    turn.refuse(event.id, text);
}

// Nothing that workers would see has changed: the new numbers hold from now on.
void reload_rules(Turn& turn, const PendingChange& change) {
    State& state = turn.state;
    const int workers_before = state.policy.workers;
    state.policy = *change.reload->policy;
    state.serving.terms = terms_of(state.policy);
    turn.add(AdoptPlan{change.reload->plan});
    const std::string text =
        change.reload->changes.empty() ? "nothing has changed" : "reloaded: " + change.reload->changes;
    turn.note(Level::info, "reload_done", text + ", asked for by " + change.asked_by);
    if (state.policy.workers != workers_before) {
        return begin_scaling(turn, change.askers, change.asked_by, state.policy.workers, text + "; ");
    }
    turn.answer(change.askers, {Outcome::Result::done, text, {}, 0});
}

// Asked for while it could be had; a rollback before this one may have been the last possible.
void begin_rollback(Turn& turn, const PendingChange& change) {
    if (!turn.state.good.empty()) return begin_rollout(turn, change);
    const std::string text =
        "cannot roll back: no generation before this one has served, or it was rolled back to already; `holdfast "
        "restart` launches the program as it is now";
    turn.note(Level::warning, "request_refused", text);
    turn.answer(change.askers, {Outcome::Result::refused, text, {}, 1});
}

void begin(Turn& turn, const PendingChange& change) {
    switch (change.kind) {
        case PendingChange::Kind::restart:
            return begin_rollout(turn, change);
        case PendingChange::Kind::rollback:
            return begin_rollback(turn, change);
        case PendingChange::Kind::reload:
            if (change.reload->workers == Reload::Workers::replace) return begin_rollout(turn, change);
            return reload_rules(turn, change);
        case PendingChange::Kind::scale:
            return begin_scaling(turn, change.askers, change.asked_by, change.target, "");
    }
}

}  // namespace

void on_asked(Turn& turn, const Asked& event) {
    const State& state = turn.state;
    if (state.ending && !is_of_any_time(event.request)) {
        return refuse_request(turn, event, "the service is being stopped; `holdfast undo` takes that back");
    }
    if (state.pause && changes_workers(event.request)) {
        return refuse_request(turn, event,
                              "the service is paused by " + state.pause->asked_by + ": `holdfast resume` first");
    }
    std::visit(Asking{turn, event.id, event.request.asked_by}, event.request.what);
}

bool begin_next_change(Turn& turn) {
    State& state = turn.state;
    if (change_under_way(state) || state.pending.empty()) return false;
    const PendingChange change = state.pending.front();
    state.pending.erase(state.pending.begin());
    begin(turn, change);
    return true;
}

}  // namespace holdfast::core
