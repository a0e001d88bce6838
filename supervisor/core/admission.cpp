#include "core/admission.hpp"

#include <algorithm>

#include "core/describe/text.hpp"

namespace holdfast::core {
namespace {

// Only an SDK worker says when it has stopped accepting; of any other nobody can know before it is gone.
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

// It does, or was told to run again and is about to.
bool may_accept(const Worker& worker) { return worker.recalled || accepts(worker); }

// It got ready once, and takes clients.
bool serves(const Worker& worker) {
    return worker.ready_since && worker.state != WorkerState::paused && accepts(worker);
}

bool any_worker(const State& state, bool (*is_so)(const Worker&)) {
    return std::any_of(state.workers.begin(), state.workers.end(),
                       [&](const auto& entry) { return is_so(entry.second); });
}

bool no_worker_expected(const State& state) { return state.shutdown || state.target == 0; }

// A pause is what an operator wants: its queue is kept.
void update_unserved_since(StepContext& context) {
    State& state = context.state;
    if (state.pause || any_worker(state, serves)) {
        state.unserved_since.reset();
        state.logged_refusing = false;
    } else if (!state.unserved_since) {
        state.unserved_since = context.now;
    }
}

// Once for each time that nobody serves: each failed attempt closes them again.
void note_unserved(StepContext& context) {
    State& state = context.state;
    const Level level = state.logged_refusing ? Level::debug : Level::warning;
    state.logged_refusing = true;
    context.note(level, "doors_closed",
                 "nobody has served for " + seconds(context.now - *state.unserved_since) +
                     " and no worker runs: new clients are refused until the next launch");
}

// Whose listeners stay, once that is certain: before the commit point either generation may be the one, and whom an
// operator paused comes back.
std::optional<LaunchSpecId> spec_that_stays(const State& state) {
    if (state.shutdown || state.pause || !state.may_hold_removed_listeners) return std::nullopt;
    if (!state.rollout) return state.serving.spec;
    if (state.rollout->direction == Rollout::Direction::back) return state.rollout->former.spec;
    if (state.rollout->committed) return state.rollout->next.spec;
    return std::nullopt;
}

// In a probation the old ones are paused, but for clients of what is to be taken away nobody may ever come back.
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
    context.note(Level::info, "doors_closed", "no worker accepts any more and none will come: new clients are refused");
}

void refuse_on_removed_listeners_if_unserved(StepContext& context) {
    State& state = context.state;
    const auto spec = spec_that_stays(state);
    if (!spec || state.removed_listener_admission == Admission::refuse) return;
    const bool anybody_accepts = std::ranges::any_of(
        state.workers, [&](const auto& entry) { return entry.second.spec != *spec && accepts_now(entry.second); });
    if (anybody_accepts) return;
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
