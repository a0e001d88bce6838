#include "core/admission.hpp"

#include <algorithm>

#include "core/describe/text.hpp"

namespace holdfast::core {
namespace {

// Only an SDK worker reports when it has stopped accepting. Any other worker may accept until it is gone.
bool accepts(const Worker& worker) {
    switch (worker.state) {
        case WorkerState::draining:
            return worker.speaks != Speaks::protocol || worker.accepting != false;
        case WorkerState::cancelling:
            return worker.speaks != Speaks::protocol;
        case WorkerState::killed:
        case WorkerState::gone:
            return false;
        default:
            return true;
    }
}

// Whether it accepts, or is being recalled.
bool may_accept(const Worker& worker) { return worker.recalled || accepts(worker); }

// Whether it has been ready and accepts connections.
bool serves(const Worker& worker) {
    return worker.ready_since && worker.state != WorkerState::paused && accepts(worker);
}

bool any_worker(const State& state, bool (*is_so)(const Worker&)) {
    return std::any_of(state.workers.begin(), state.workers.end(),
                       [&](const auto& entry) { return is_so(entry.second); });
}

bool no_worker_expected(const State& state) { return state.shutdown || state.target == 0; }

// An operator's pause does not count as unserved time: connections stay queued.
void update_unserved_since(StepContext& context) {
    State& state = context.state;
    if (state.pause || any_worker(state, serves)) {
        state.unserved_since.reset();
        state.logged_refusing = false;
    } else if (!state.unserved_since) {
        state.unserved_since = context.now;
    }
}

// Logs a warning once per outage. Each failed launch attempt ends in a refusal again, which is logged as debug.
void note_unserved(StepContext& context) {
    State& state = context.state;
    const Level level = state.logged_refusing ? Level::debug : Level::warning;
    state.logged_refusing = true;
    context.note(level, "doors_closed",
                 "no worker has served for " + seconds(context.now - *state.unserved_since) +
                     " and none is running: new connections are refused until the next launch");
}

// The spec whose listeners remain. nullopt while this is undecided: before the commit either generation may remain, and
// workers paused by an operator will accept again.
std::optional<LaunchSpecId> spec_that_stays(const State& state) {
    if (state.shutdown || state.pause || !state.may_hold_removed_listeners) return std::nullopt;
    if (!state.rollout) return state.serving.spec;
    if (state.rollout->direction == Rollout::Direction::back) return state.rollout->former.spec;
    if (state.rollout->committed) return state.rollout->next.spec;
    return std::nullopt;
}

// Unlike may_accept(), false for a worker that is paused for a probation: on a removed listener it may never accept
// again.
bool accepts_now(const Worker& worker) {
    return may_accept(worker) && (worker.state != WorkerState::paused || worker.recalled || worker.accepting != false);
}

}  // namespace

std::optional<Instant> refuse_clients_at(const State& state) {
    if (state.admission == Admission::refuse || !state.unserved_since || any_worker(state, may_accept))
        return std::nullopt;
    return *state.unserved_since + state.policy.queue_for;
}

void refuse_clients_if_unserved(StepContext& context) {
    State& state = context.state;
    update_unserved_since(context);
    if (state.admission == Admission::refuse || any_worker(state, may_accept)) return;
    const auto refuse_at = refuse_clients_at(state);
    if (!no_worker_expected(state) && (!refuse_at || *refuse_at > context.now)) return;
    state.admission = Admission::refuse;
    context.add(SetAdmission{Admission::refuse});
    if (!no_worker_expected(state)) return note_unserved(context);
    context.note(Level::info, "doors_closed", "no worker accepts and none will start: new connections are refused");
}

void refuse_on_removed_listeners_if_unserved(StepContext& context) {
    State& state = context.state;
    const auto spec = spec_that_stays(state);
    if (!spec || state.removed_listener_admission == Admission::refuse) return;
    const bool any_accepts = std::ranges::any_of(
        state.workers, [&](const auto& entry) { return entry.second.spec != *spec && accepts_now(entry.second); });
    if (any_accepts) return;
    state.removed_listener_admission = Admission::refuse;
    context.add(SetRemovedListenerAdmission{*spec, Admission::refuse});
}

void accept_on_removed_listeners(StepContext& context) {
    State& state = context.state;
    if (state.removed_listener_admission == Admission::accept) return;
    state.removed_listener_admission = Admission::accept;
    context.add(SetRemovedListenerAdmission{state.serving.spec, Admission::accept});
}

}  // namespace holdfast::core
