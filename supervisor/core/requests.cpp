#include "core/requests.hpp"

#include <algorithm>
#include <utility>

#include "core/ending.hpp"
#include "core/pausing.hpp"
#include "core/rollout.hpp"
#include "core/scaling.hpp"
#include "core/words.hpp"

namespace holdfast::core {
namespace {

bool change_under_way(const State& state) {
    return state.first_generation || state.rollout || state.scaling || state.ending;
}

void refuse(Turn& turn, RequestId asker, const std::string& text) {
    turn.note(Level::warning, "request_refused", text);
    turn.answer(asker, {Outcome::Result::refused, text, {}, 1});
}

void supersede(Turn& turn, RequestId asker, const std::string& by) {
    const std::string text = "superseded by a later request of " + by;
    turn.note(Level::info, "request_superseded", text);
    turn.answer(asker, {Outcome::Result::superseded, text, {}, 1});
}

void enqueue(Turn& turn, PendingChange change) {
    auto& pending = turn.state.pending;
    const auto same = std::find_if(pending.begin(), pending.end(),
                                   [&](const PendingChange& earlier) { return earlier.kind == change.kind; });
    if (same != pending.end()) {
        supersede(turn, same->asker, change.asked_by);
        pending.erase(same);
    }
    pending.push_back(std::move(change));
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
        return refuse(turn, asker,
                      "cannot scale to " + std::to_string(target) + " workers: 0 to " + std::to_string(max_workers) +
                          " can be had");
    }
    const int wanted = static_cast<int>(target);
    // The latest wins at once, unless somebody else waits for this change to end.
    if (state.scaling && state.pending.empty()) {
        supersede(turn, state.scaling->asker, asked_by);
        return begin_scaling(turn, asker, asked_by, wanted);
    }
    enqueue(turn, {PendingChange::Kind::scale, asker, asked_by, wanted});
}

void ask_stop(Turn& turn, RequestId asker, const std::string& asked_by, const Stop& stop) {
    State& state = turn.state;
    if (state.ending) return hurry_ending(turn, asker, asked_by);
    begin_ending(turn, Ending::Cause::stop, "stop asked for by " + asked_by, stop.lame_duck);
    if (asker.value != 0) state.ending->askers.push_back(asker);
}

void ask_pause(Turn& turn, RequestId asker, const std::string& asked_by) {
    if (change_under_way(turn.state)) {
        return refuse(turn, asker, "cannot pause: a change is under way; ask again when it is over");
    }
    pause_workers(turn, asker, asked_by);
}

// One overload for each request: a request without one does not compile.
struct Asking {
    Turn& turn;
    RequestId id;
    const std::string& asked_by;

    void operator()(const Restart&) const { enqueue(turn, {PendingChange::Kind::restart, id, asked_by, 0}); }
    void operator()(const Stop& stop) const { ask_stop(turn, id, asked_by, stop); }
    void operator()(const Scale& scale) const { ask_scale(turn, id, asked_by, scale.target); }
    void operator()(const ScaleBy& scale) const {
        ask_scale(turn, id, asked_by, std::int64_t{wanted_target(turn.state)} + scale.difference);
    }
    void operator()(const Pause&) const { ask_pause(turn, id, asked_by); }
    void operator()(const Resume&) const { resume_workers(turn, id); }
};

}  // namespace

void on_asked(Turn& turn, const Asked& event) {
    const bool stop = std::holds_alternative<Stop>(event.request.what);
    if (turn.state.ending && !stop) return refuse(turn, event.id, "the service is being stopped");
    std::visit(Asking{turn, event.id, event.request.asked_by}, event.request.what);
}

bool begin_next_change(Turn& turn) {
    State& state = turn.state;
    if (change_under_way(state) || state.pending.empty()) return false;
    const PendingChange change = state.pending.front();
    state.pending.erase(state.pending.begin());
    if (change.kind == PendingChange::Kind::restart) {
        begin_rollout(turn, change.asker, change.asked_by);
    } else {
        begin_scaling(turn, change.asker, change.asked_by, change.target);
    }
    return true;
}

}  // namespace holdfast::core
