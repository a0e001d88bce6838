#include "core/rollout.hpp"

#include <algorithm>
#include <utility>

#include "core/bounds.hpp"
#include "core/crashes.hpp"
#include "core/crew.hpp"
#include "core/doors.hpp"
#include "core/pausing.hpp"
#include "core/retiring.hpp"
#include "core/rollback.hpp"
#include "core/rollout_end.hpp"
#include "core/words.hpp"

namespace holdfast::core {
namespace {

// Launches new workers while there is room: first where nobody serves, then beside old ones.
bool launch_new(Turn& turn, Crew& crew) {
    const State& state = turn.state;
    const int room = state.target + surge(state.policy, state.target);
    bool launched = false;
    for (const bool beside_old : {false, true}) {
        for (std::size_t slot = 0; slot < crew.places.size() && crew.staying < room; ++slot) {
            const Crew::Place& place = crew.places[slot];
            if (place.wanted != nullptr || (place.other != nullptr) != beside_old) continue;
            launched |= fill(turn, crew, slot, state.rollout->next);
        }
    }
    return launched;
}

void record_drain(Turn& turn) {
    const Rollout& rollout = *turn.state.rollout;
    turn.record(rollout.former.generation, "draining", "makes room for " + name_of(rollout.next.generation));
}

// With room for all, the point of no return is when all new ones have settled: a failure before costs nothing.
bool may_commit(Turn& turn, const Crew& crew) {
    State& state = turn.state;
    Rollout& rollout = *state.rollout;
    if (rollout.committed) return true;
    if (is_wave(state) && !all_settled(crew)) return false;
    rollout.committed = true;
    const std::string text = name_of(rollout.next.generation) + " takes over: old workers are told to " +
                             (state.policy.probation > 0s ? "pause" : "leave");
    turn.record(rollout.next.generation, "committed", text);
    turn.note(Level::info, "rollout_committed", text);
    if (state.policy.probation == Duration::zero()) record_drain(turn);
    return true;
}

// Lets old workers go as long as enough others can be counted on: first those whose successor has settled.
bool release_old(Turn& turn, Crew& crew) {
    const State& state = turn.state;
    const int least = state.target - unavailable(state.policy, state.target);
    int dependable = count_dependable(crew, state.rollout->next.generation);
    bool released = false;
    for (const bool has_successor : {true, false}) {
        for (Crew::Place& place : crew.places) {
            const bool succeeded = place.wanted != nullptr && place.wanted->settled;
            if (place.other == nullptr || succeeded != has_successor || waits_for_probation(state, *place.other)) {
                continue;
            }
            const int counts = is_ready(*place.other) ? 1 : 0;
            if (counts > 0 && dependable - counts < least) continue;
            if (!may_commit(turn, crew)) return released;
            if (retire(turn, crew, place) == Retired::no) continue;
            dependable -= counts;
            released = true;
        }
    }
    return released;
}

void note_progress(Turn& turn, const Crew& crew) {
    Rollout& rollout = *turn.state.rollout;
    if (!rollout.was_ready && all_ready(crew)) {
        rollout.was_ready = true;
        turn.record(rollout.next.generation, "ready", workers(turn.state.target) + " ready");
    }
    record_settled(turn, crew, rollout.next.generation);
}

// Every new one has settled, and every old one, if any is left, has done what it can do before the end of the
// probation.
bool may_begin_probation(Turn& turn, const Crew& crew) {
    const bool is_done = all_settled(crew) && std::ranges::all_of(crew.places, [&](const Crew::Place& place) {
                             return place.other == nullptr || waits_for_probation(turn.state, *place.other);
                         });
    return is_done && may_commit(turn, crew);
}

void begin_probation(Turn& turn) {
    State& state = turn.state;
    Rollout& rollout = *state.rollout;
    rollout.stage = Rollout::Stage::probation;
    rollout.probation_until = turn.now + state.policy.probation;
    const std::string text = name_of(rollout.next.generation) + " is in probation for " +
                             seconds(state.policy.probation) + ": until then " + name_of(rollout.former.generation) +
                             " can be had back";
    turn.record(rollout.next.generation, "probation", text);
    turn.note(Level::info, "probation_started", text);
    for (const auto& [id, worker] : state.workers) {
        if (!is_ready(worker) || worker.generation == rollout.next.generation) continue;
        turn.note(Level::warning, "worker_not_paused", worker,
                  "it cannot be paused, which needs HELLO=1 and the stages pause and run: during the probation both "
                  "generations accept");
    }
}

bool old_ones_are_gone(const State& state) {
    return std::ranges::all_of(
        state.workers, [&](const auto& entry) { return entry.second.generation == state.rollout->next.generation; });
}

void advance_launching(Turn& turn, Crew& crew) {
    const State& state = turn.state;
    note_progress(turn, crew);
    while (launch_new(turn, crew) || release_old(turn, crew)) {
    }
    if (state.policy.probation > 0s) {
        if (may_begin_probation(turn, crew)) begin_probation(turn);
    } else if (all_settled(crew) && old_ones_are_gone(state)) {
        finish_rollout(turn);
    }
}

// A crash is an ordinary one by now.
void advance_retiring(Turn& turn, Crew& crew) {
    dismiss_old(turn, crew);
    while (launch_new(turn, crew)) {
    }
    if (all_settled(crew) && old_ones_are_gone(turn.state)) finish_rollout(turn);
}

void advance_forward(Turn& turn) {
    State& state = turn.state;
    Crew crew = take_crew(state, state.rollout->next.generation);
    dismiss_surplus(turn, crew);
    if (state.rollout->stage == Rollout::Stage::launching) return advance_launching(turn, crew);
    if (state.rollout->stage == Rollout::Stage::retiring) return advance_retiring(turn, crew);
}

// Where all new ones serve it waits on: the old ones end by deadlines of their own, which a stall makes late.
void expire_retiring(Turn& turn) {
    State& state = turn.state;
    if (!all_settled(take_crew(state, state.rollout->next.generation))) return finish_rollout_short(turn);
    state.rollout->deadline = turn.now + retire_bound(state.policy);
}

void prepare(Turn& turn) {
    Rollout& rollout = *turn.state.rollout;
    const bool kept = rollout.kind == Rollout::Kind::rollback;
    rollout.preparing_until = turn.now + prepare_bound(turn.state.policy);
    turn.add(Prepare{rollout.next.spec, rollout.next.generation, kept ? Prepare::From::kept : Prepare::From::fresh,
                     rollout.plan});
}

void turn_back(Turn& turn) {
    accept_for_others(turn);
    State& state = turn.state;
    Rollout& rollout = *state.rollout;
    rollout.direction = Rollout::Direction::back;
    rollout.stage = Rollout::Stage::launching;
    restore_rules(state);
    rollout.preparing_until = rollout.probation_until = never;
    rollout.deadline = turn.now + rollback_bound(state.policy, state.target);
}

}  // namespace

bool is_preparing(const Rollout& rollout) {
    return rollout.direction == Rollout::Direction::forward && rollout.stage == Rollout::Stage::preparing;
}

void begin_rollout(Turn& turn, const PendingChange& change) {
    State& state = turn.state;
    forgive_crashes(state);
    accept_for_others(turn);
    Rollout rollout;
    rollout.askers = change.askers;
    rollout.asked_by = change.asked_by;
    rollout.former = state.serving;
    rollout.next.generation = Generation{++state.last_generation};
    if (change.kind == PendingChange::Kind::rollback) {
        rollout.kind = Rollout::Kind::rollback;
        rollout.next.spec = state.good.back().spec;
        rollout.next.terms = state.good.back().terms;
    } else {
        rollout.next.spec = LaunchSpecId{++state.last_spec};
        state.specs.push_back(rollout.next.spec);
    }
    if (change.reload) {
        rollout.kind = Rollout::Kind::reload;
        rollout.plan = change.reload->plan;
        rollout.former_rules.emplace(state.policy);
        state.policy = *change.reload->policy;
    }
    if (rollout.kind != Rollout::Kind::rollback) rollout.next.terms = terms_of(state.policy);
    const std::string text = describe_start(state, rollout);
    turn.record(rollout.next.generation, "started", text);
    turn.note(Level::info, "rollout_started", text);
    state.rollout = std::move(rollout);
    state.holds_other_listeners = true;
    prepare(turn);
}

void on_prepared(Turn& turn, const Prepared& event) {
    State& state = turn.state;
    if (!state.rollout || state.rollout->stage != Rollout::Stage::preparing || state.rollout->next.spec != event.spec)
        return;
    Rollout& rollout = *state.rollout;
    rollout.preparing_until = never;
    if (!event.fault.empty()) {
        rollout.failure = event.fault;
        rollout.last_words = event.last_words;
        return refuse_rollout(turn);
    }
    rollout.stage = Rollout::Stage::launching;
    turn.record(rollout.next.generation, "prepared", "");
}

void advance_rollout(Turn& turn) {
    if (turn.state.rollout->direction == Rollout::Direction::forward) {
        advance_forward(turn);
    } else {
        advance_rollback(turn);
    }
}

void fail_rollout_by(Turn& turn, const Worker& worker, const std::string& what,
                     const std::vector<std::string>& last_words) {
    State& state = turn.state;
    if (!state.rollout || state.rollout->direction == Rollout::Direction::back) return;
    Rollout& rollout = *state.rollout;
    if (worker.generation != rollout.next.generation || rollout.stage == Rollout::Stage::retiring) return;
    rollout.failure = "worker " + name_of(worker) + " " + what;
    if (rollout.stage == Rollout::Stage::probation) rollout.failure += " during probation";
    rollout.to_blame = worker.id;
    rollout.last_words = last_words;
    turn.note(
        Level::error, "rollout_failed",
        rollout.failure + quote_last(last_words) + "; " + name_of(rollout.former.generation) + " is brought back");
    turn_back(turn);
}

void undo_rollout(Turn& turn, RequestId asker, const std::string& asked_by) {
    Rollout& rollout = *turn.state.rollout;
    rollout.undoers.push_back(asker);
    if (rollout.direction == Rollout::Direction::back) return;
    rollout.undone_by = asked_by;
    rollout.failure = "undone by " + asked_by;
    turn.note(Level::warning, "rollout_undone",
              rollout.failure + "; " + name_of(rollout.former.generation) + " is brought back");
    if (is_preparing(rollout)) {
        turn.add(AbandonPreparation{rollout.next.spec});
        return refuse_rollout(turn);
    }
    turn_back(turn);
}

void abandon_rollout(Turn& turn, const Rollout& rollout) {
    if (is_preparing(rollout)) turn.add(AbandonPreparation{rollout.next.spec});
    if (rollout.plan.value != 0) turn.add(DropPlan{rollout.plan});
    turn.record(rollout.next.generation, "interrupted", "the service is being stopped");
}

void keep_last_words(State& state, const Worker& worker, const std::vector<std::string>& last_words) {
    if (state.rollout && state.rollout->to_blame == worker.id && !last_words.empty()) {
        state.rollout->last_words = last_words;
    }
}

Instant next_deadline(const Rollout& rollout) {
    return std::min({rollout.preparing_until, rollout.probation_until, rollout.deadline});
}

void expire_rollout(Turn& turn) {
    State& state = turn.state;
    Rollout& rollout = *state.rollout;
    if (rollout.deadline <= turn.now) {
        return rollout.stage == Rollout::Stage::retiring ? expire_retiring(turn) : give_up_rollback(turn);
    }
    if (rollout.preparing_until <= turn.now) {
        turn.add(AbandonPreparation{rollout.next.spec});
        rollout.failure = "the preparation of " + name_of(rollout.next.generation) + " was not over within " +
                          seconds(prepare_bound(state.policy)) +
                          ": look at --pre-restart, and at the file system of the program";
        return refuse_rollout(turn);
    }
    if (rollout.probation_until > turn.now) return;
    rollout.probation_until = never;
    rollout.stage = Rollout::Stage::retiring;
    rollout.deadline = turn.now + retire_bound(state.policy);
    const std::string text =
        name_of(rollout.next.generation) + " has passed its probation: old workers are told to leave";
    turn.record(rollout.next.generation, "retired", text);
    turn.note(Level::info, "probation_passed", text);
    record_drain(turn);
}

}  // namespace holdfast::core
