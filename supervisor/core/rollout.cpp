#include "core/rollout.hpp"

#include <algorithm>
#include <utility>

#include "core/admission.hpp"
#include "core/bounds.hpp"
#include "core/crashes.hpp"
#include "core/describe/text.hpp"
#include "core/pausing.hpp"
#include "core/retiring.hpp"
#include "core/rollback.hpp"
#include "core/rollout_end.hpp"
#include "core/roster.hpp"

namespace holdfast::core {
namespace {

// Launches new workers up to target + max-surge: first in empty slots, then beside old workers.
bool launch_new_workers(StepContext& context, Roster& roster) {
    const State& state = context.state;
    const int room = state.target + surge(state.policy, state.target);
    bool launched = false;
    for (const bool beside_old : {false, true}) {
        for (std::size_t slot = 0; slot < roster.slots.size() && roster.staying < room; ++slot) {
            const Roster::RosterSlot& roster_slot = roster.slots[slot];
            if (roster_slot.wanted != nullptr || (roster_slot.other != nullptr) != beside_old) continue;
            launched |= fill_slot(context, roster, slot, state.rollout->next);
        }
    }
    return launched;
}

void record_drain(StepContext& context) {
    const Rollout& rollout = *context.state.rollout;
    context.record(rollout.former.generation, "draining", "makes room for " + name_of(rollout.next.generation));
}

// Commits the rollout if it may. If all new workers fit beside the old ones, the commit waits until all of them have
// settled, so a failure before it does not affect the old workers.
bool may_commit(StepContext& context, const Roster& roster) {
    State& state = context.state;
    Rollout& rollout = *state.rollout;
    if (rollout.committed) return true;
    if (replaces_all_at_once(state) && !all_settled(roster)) return false;
    rollout.committed = true;
    const std::string text = name_of(rollout.next.generation) + " takes over: the old workers " +
                             (state.policy.probation > 0s ? "pause" : "drain");
    context.record(rollout.next.generation, "committed", text);
    context.note(Level::info, "rollout_committed", text);
    if (state.policy.probation == Duration::zero()) record_drain(context);
    return true;
}

// Releases old workers while at least target - max-unavailable dependable workers remain: first those whose successor
// has settled.
bool release_old_workers(StepContext& context, Roster& roster) {
    const State& state = context.state;
    const int least = state.target - unavailable(state.policy, state.target);
    int dependable = count_dependable(roster, state.rollout->next.generation);
    bool released = false;
    for (const bool has_successor : {true, false}) {
        for (Roster::RosterSlot& roster_slot : roster.slots) {
            const bool succeeded = roster_slot.wanted != nullptr && roster_slot.wanted->settled;
            if (roster_slot.other == nullptr || succeeded != has_successor ||
                waits_for_probation(state, *roster_slot.other)) {
                continue;
            }
            const int counts = is_ready(*roster_slot.other) ? 1 : 0;
            if (counts > 0 && dependable - counts < least) continue;
            if (!may_commit(context, roster)) return released;
            if (retire(context, roster, roster_slot) == Retired::no) continue;
            dependable -= counts;
            released = true;
        }
    }
    return released;
}

void note_progress(StepContext& context, const Roster& roster) {
    Rollout& rollout = *context.state.rollout;
    if (!rollout.was_ready && all_ready(roster)) {
        rollout.was_ready = true;
        context.record(rollout.next.generation, "ready", workers(context.state.target) + " ready");
    }
    record_settled(context, roster, rollout.next.generation);
}

// Whether all new workers have settled and all remaining old workers have paused, or serve until the end of the
// probation.
bool may_begin_probation(StepContext& context, const Roster& roster) {
    const bool is_done =
        all_settled(roster) && std::ranges::all_of(roster.slots, [&](const Roster::RosterSlot& roster_slot) {
            return roster_slot.other == nullptr || waits_for_probation(context.state, *roster_slot.other);
        });
    return is_done && may_commit(context, roster);
}

void begin_probation(StepContext& context) {
    State& state = context.state;
    Rollout& rollout = *state.rollout;
    rollout.stage = Rollout::Stage::probation;
    rollout.probation_until = context.now + state.policy.probation;
    const std::string text = name_of(rollout.next.generation) + " is in probation for " +
                             seconds(state.policy.probation) + ": until then " + name_of(rollout.former.generation) +
                             " can be restored";
    context.record(rollout.next.generation, "probation", text);
    context.note(Level::info, "probation_started", text);
    for (const auto& [id, worker] : state.workers) {
        if (!is_ready(worker) || worker.generation == rollout.next.generation) continue;
        context.note(Level::warning, "worker_not_paused", worker,
                     "it cannot be paused, which requires HELLO=1 with the stages pause and run: both generations "
                     "accept during the probation");
    }
}

bool old_workers_are_gone(const State& state) {
    return std::ranges::all_of(
        state.workers, [&](const auto& entry) { return entry.second.generation == state.rollout->next.generation; });
}

void advance_launching(StepContext& context, Roster& roster) {
    const State& state = context.state;
    note_progress(context, roster);
    while (launch_new_workers(context, roster) || release_old_workers(context, roster)) {
    }
    if (state.policy.probation > 0s) {
        if (may_begin_probation(context, roster)) begin_probation(context);
    } else if (all_settled(roster) && old_workers_are_gone(state)) {
        finish_rollout(context);
    }
}

// In this stage a crash does not start a rollback; the worker is replaced.
void advance_retiring(StepContext& context, Roster& roster) {
    ask_old_to_leave(context, roster);
    while (launch_new_workers(context, roster)) {
    }
    if (all_settled(roster) && old_workers_are_gone(context.state)) finish_rollout(context);
}

void advance_forward(StepContext& context) {
    State& state = context.state;
    Roster roster = build_roster(state, state.rollout->next.generation);
    ask_surplus_to_leave(context, roster);
    if (state.rollout->stage == Rollout::Stage::launching) return advance_launching(context, roster);
    if (state.rollout->stage == Rollout::Stage::retiring) return advance_retiring(context, roster);
}

// If all new workers serve, the rollout waits longer: the old workers terminate by their own deadlines, which can be
// late if the supervisor was stalled.
void expire_retiring(StepContext& context) {
    State& state = context.state;
    if (!all_settled(build_roster(state, state.rollout->next.generation))) return finish_rollout_short(context);
    state.rollout->deadline = context.now + retire_bound(state.policy);
}

void prepare(StepContext& context) {
    Rollout& rollout = *context.state.rollout;
    const bool kept = rollout.kind == Rollout::Kind::rollback;
    rollout.preparing_until = context.now + prepare_bound(context.state.policy);
    context.add(Prepare{rollout.next.spec, rollout.next.generation, kept ? Prepare::From::kept : Prepare::From::fresh,
                        rollout.plan});
}

void start_rollback(StepContext& context) {
    accept_on_removed_listeners(context);
    State& state = context.state;
    Rollout& rollout = *state.rollout;
    rollout.direction = Rollout::Direction::back;
    rollout.stage = Rollout::Stage::launching;
    restore_policy(state);
    rollout.preparing_until = rollout.probation_until = never;
    rollout.deadline = context.now + rollback_bound(state.policy, state.target);
}

}  // namespace

bool is_preparing(const Rollout& rollout) {
    return rollout.direction == Rollout::Direction::forward && rollout.stage == Rollout::Stage::preparing;
}

void begin_rollout(StepContext& context, const PendingChange& change) {
    State& state = context.state;
    reset_crashes(state);
    accept_on_removed_listeners(context);
    Rollout rollout;
    rollout.askers = change.askers;
    rollout.asked_by = change.asked_by;
    rollout.former = state.serving;
    rollout.next.generation = Generation{++state.last_generation};
    if (change.kind == PendingChange::Kind::rollback) {
        rollout.kind = Rollout::Kind::rollback;
        rollout.next.spec = state.rollback_targets.back().spec;
        rollout.next.health = state.rollback_targets.back().health;
    } else {
        rollout.next.spec = LaunchSpecId{++state.last_spec};
        state.specs.push_back(rollout.next.spec);
    }
    if (change.reload) {
        rollout.kind = Rollout::Kind::reload;
        rollout.plan = change.reload->plan;
        rollout.former_policy.emplace(state.policy);
        state.policy = *change.reload->policy;
    }
    if (rollout.kind != Rollout::Kind::rollback) rollout.next.health = health_settings_of(state.policy);
    const std::string text = describe_start(state, rollout);
    context.record(rollout.next.generation, "started", text);
    context.note(Level::info, "rollout_started", text);
    state.rollout = std::move(rollout);
    state.may_hold_removed_listeners = true;
    prepare(context);
}

void on_prepared(StepContext& context, const Prepared& event) {
    State& state = context.state;
    if (!state.rollout || state.rollout->stage != Rollout::Stage::preparing || state.rollout->next.spec != event.spec)
        return;
    Rollout& rollout = *state.rollout;
    rollout.preparing_until = never;
    if (!event.fault.empty()) {
        rollout.failure = event.fault;
        rollout.last_words = event.last_words;
        return refuse_rollout(context);
    }
    rollout.stage = Rollout::Stage::launching;
    context.record(rollout.next.generation, "prepared", "");
}

void advance_rollout(StepContext& context) {
    if (context.state.rollout->direction == Rollout::Direction::forward) {
        advance_forward(context);
    } else {
        advance_rollback(context);
    }
}

void fail_rollout_by(StepContext& context, const Worker& worker, const std::string& what,
                     const std::vector<std::string>& last_words) {
    State& state = context.state;
    if (!state.rollout || state.rollout->direction == Rollout::Direction::back) return;
    Rollout& rollout = *state.rollout;
    if (worker.generation != rollout.next.generation || rollout.stage == Rollout::Stage::retiring) return;
    rollout.failure = "worker " + name_of(worker) + " " + what;
    if (rollout.stage == Rollout::Stage::probation) rollout.failure += " during probation";
    rollout.failed_worker = worker.id;
    rollout.last_words = last_words;
    context.note(Level::error, "rollout_failed",
                 rollout.failure + quote_last(last_words) + "; rolling back to " + name_of(rollout.former.generation));
    start_rollback(context);
}

void undo_rollout(StepContext& context, RequestId asker, const std::string& asked_by) {
    Rollout& rollout = *context.state.rollout;
    rollout.undo_askers.push_back(asker);
    if (rollout.direction == Rollout::Direction::back) return;
    rollout.undone_by = asked_by;
    rollout.failure = "undone by " + asked_by;
    context.note(Level::warning, "rollout_undone",
                 rollout.failure + "; rolling back to " + name_of(rollout.former.generation));
    if (is_preparing(rollout)) {
        context.add(AbandonPreparation{rollout.next.spec});
        return refuse_rollout(context);
    }
    start_rollback(context);
}

void abandon_rollout(StepContext& context, const Rollout& rollout) {
    if (is_preparing(rollout)) context.add(AbandonPreparation{rollout.next.spec});
    if (rollout.plan.value != 0) context.add(DropPlan{rollout.plan});
    context.record(rollout.next.generation, "interrupted", "the service is being stopped");
}

void keep_last_words(State& state, const Worker& worker, const std::vector<std::string>& last_words) {
    if (state.rollout && state.rollout->failed_worker == worker.id && !last_words.empty()) {
        state.rollout->last_words = last_words;
    }
}

Instant next_deadline(const Rollout& rollout) {
    return std::min({rollout.preparing_until, rollout.probation_until, rollout.deadline});
}

void expire_rollout(StepContext& context) {
    State& state = context.state;
    Rollout& rollout = *state.rollout;
    if (rollout.deadline <= context.now) {
        return rollout.stage == Rollout::Stage::retiring ? expire_retiring(context) : expire_rollback(context);
    }
    if (rollout.preparing_until <= context.now) {
        context.add(AbandonPreparation{rollout.next.spec});
        rollout.failure = "the preparation of " + name_of(rollout.next.generation) + " did not finish within " +
                          seconds(prepare_bound(state.policy)) +
                          ": check --pre-restart and the file system of the program";
        return refuse_rollout(context);
    }
    if (rollout.probation_until > context.now) return;
    rollout.probation_until = never;
    rollout.stage = Rollout::Stage::retiring;
    rollout.deadline = context.now + retire_bound(state.policy);
    const std::string text = name_of(rollout.next.generation) + " has passed its probation: the old workers drain";
    context.record(rollout.next.generation, "retired", text);
    context.note(Level::info, "probation_passed", text);
    record_drain(context);
}

}  // namespace holdfast::core
