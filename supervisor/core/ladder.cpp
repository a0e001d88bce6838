#include "core/ladder.hpp"

#include <algorithm>
#include <utility>

#include "core/claims.hpp"
#include "core/voice.hpp"
#include "core/watchdog.hpp"
#include "core/words.hpp"

namespace holdfast::core {
namespace {

Duration rest_of_ladder(const Policy& policy, const Worker& worker) {
    switch (worker.state) {
        case WorkerState::lame_duck:
            return policy.lame_duck + policy.grace_period + policy.cancel_period;
        case WorkerState::paused:
            return worker.pause_for + policy.grace_period + policy.cancel_period;
        case WorkerState::draining:
            return policy.grace_period + policy.cancel_period;
        case WorkerState::cancelling:
            return policy.cancel_period;
        default:
            return Duration::zero();
    }
}

Duration own_time(const Policy& policy, const Worker& worker) {
    switch (worker.state) {
        case WorkerState::lame_duck:
            return policy.lame_duck;
        case WorkerState::paused:
            return worker.pause_for;
        case WorkerState::draining:
            return policy.grace_period;
        case WorkerState::cancelling:
            return policy.cancel_period;
        default:
            return unkillable_after;
    }
}

void enter_ready(Turn& turn, Worker& worker) {
    const bool back = worker.ready_since.has_value();
    worker.deadline = worker.kill_at = never;
    worker.reason.reset();
    worker.why.clear();
    begin_watch(turn, worker);
    if (back) {
        turn.note(Level::info, "worker_recalled", worker, "accepts again and is ready");
        return;
    }
    worker.ready_since = turn.now;
    turn.note(Level::info, "worker_ready", worker,
              "ready " + seconds(turn.now - worker.spawned_at.value_or(turn.now)) + " after its launch");
    check_claim(turn, worker);
}

// In the last stop, work that is cut off shows in the exit status.
void enter_cancelling(Turn& turn, Worker& worker) {
    auto& ending = turn.state.ending;
    if (ending && ending->cause == Ending::Cause::stop && has_work_left(worker)) ending->exit_code = 3;
    turn.note(Level::warning, "worker_held", worker, "when it was cancelled: " + held_by(worker, turn.now));
}

void enter_killed(Turn& turn, Worker& worker) {
    State& state = turn.state;
    if (state.ending && state.ending->cause == Ending::Cause::stop) state.ending->exit_code = 3;
    if (state.rollout && worker.generation != state.rollout->next.generation) {
        state.rollout->killed.push_back(name_of(worker));
    }
    turn.add(Kill{worker.id});
    turn.note(Level::warning, "worker_killed", worker, "killed with its whole process tree");
    const std::string held = held_by(worker, turn.now);
    turn.note(Level::warning, "worker_held", worker, held);
    turn.record(worker.generation, "worker_killed", "killed with its whole process tree: " + held, name_of(worker));
}

void enter(Turn& turn, Worker& worker, WorkerState next) {
    const Policy& policy = turn.state.policy;
    worker.state = next;
    worker.recalled = worker.signalled = false;
    if (next == WorkerState::gone) return;
    worker.since = turn.now;
    if (next == WorkerState::ready) return enter_ready(turn, worker);
    worker.deadline = turn.now + own_time(policy, worker);
    worker.kill_at = turn.now + rest_of_ladder(policy, worker);
    if (next == WorkerState::killed) return enter_killed(turn, worker);
    if (next == WorkerState::cancelling) enter_cancelling(turn, worker);
    voice_stage(turn, worker);
}

// Starting workers of the first generation share its deadline.
void extend_first_generation(Turn& turn, Worker& worker, Instant wanted) {
    FirstGeneration& first = *turn.state.first_generation;
    const Instant granted = std::min(wanted, first.last_possible);
    if (granted <= first.deadline) return;
    turn.note(Level::info, "worker_extended", worker,
              "asked for more time: the first generation has " + seconds(granted - turn.now) + " left");
    first.deadline = granted;
    for (auto& [id, other] : turn.state.workers) {
        if (other.state == WorkerState::starting) other.deadline = granted;
    }
}

}  // namespace

void apply(Turn& turn, Worker& worker, Trigger trigger) {
    ++turn.state.visits[static_cast<std::size_t>(worker.state)][static_cast<std::size_t>(trigger)];
    const auto next = next_state(worker.state, trigger);
    if (next && *next != worker.state) enter(turn, worker, *next);
}

void ask_to_leave(Turn& turn, Worker& worker, const Departure& departure) {
    const bool announced = departure.lame_duck == LameDuck::as_configured && turn.state.policy.lame_duck > 0s;
    const bool told_to_run = std::exchange(worker.recalled, false);
    const WorkerState before = worker.state;
    if (stays(worker) || told_to_run) {
        worker.reason = departure.reason;
        worker.why = departure.why;
    }
    apply(turn, worker, announced ? Trigger::asked_to_lame_duck : Trigger::asked_to_leave);
    if (told_to_run && worker.state == before) voice_stage(turn, worker);
}

void pause(Turn& turn, Worker& worker, Duration pause_for) {
    worker.pause_for = pause_for;
    if (!std::exchange(worker.recalled, false)) return apply(turn, worker, Trigger::asked_to_pause);
    worker.since = turn.now;
    worker.deadline = turn.now + own_time(turn.state.policy, worker);
    worker.kill_at = turn.now + rest_of_ladder(turn.state.policy, worker);
    voice_stage(turn, worker);
}

void recall(Turn& turn, Worker& worker) {
    worker.recalled = true;
    if (worker.state == WorkerState::paused) {
        // As long as one that drains has to answer.
        const Policy& policy = turn.state.policy;
        worker.deadline = turn.now + policy.grace_period;
        worker.kill_at = worker.deadline + policy.grace_period + policy.cancel_period;
    }
    turn.add(Tell{worker.id, Command{Stage::run, std::nullopt, std::nullopt, std::nullopt}, 0});
    turn.note(Level::info, "worker_told", worker, "told to run again");
}

void catch_up(Turn& turn, Worker& worker) {
    if (worker.state == WorkerState::killed) turn.add(Kill{worker.id});
    voice_stage(turn, worker);
}

void lose_channel(Turn& turn, Worker& worker) {
    const bool was_told = hears_stage(worker) && !worker.signalled;
    const bool heard = worker.accepting == false || worker.releasing || worker.drained;
    worker.channel = Channel::lost;
    worker.recalled = false;
    apply(turn, worker, Trigger::channel_lost);
    if (was_told && !heard) signal_stage(turn, worker);
}

void extend(Turn& turn, Worker& worker, std::int64_t extend_usec) {
    const bool can = worker.state == WorkerState::starting || worker.state == WorkerState::draining ||
                     worker.state == WorkerState::cancelling;
    if (!can || extend_usec <= 0 || turn.state.policy.max_extension == Duration::zero()) return;
    // A worker may ask for more than time can hold.
    const Instant wanted =
        turn.now + std::min(Duration{extend_usec}, turn.state.policy.max_extension + (worker.deadline - turn.now));
    if (worker.state == WorkerState::starting && turn.state.first_generation) {
        return extend_first_generation(turn, worker, wanted);
    }
    const Instant granted = std::min(wanted, worker.deadline + (turn.state.policy.max_extension - worker.extended));
    if (granted <= worker.deadline) return;
    const Duration more = granted - worker.deadline;
    worker.extended += more;
    worker.deadline = granted;
    if (worker.kill_at != never) worker.kill_at += more;
    turn.state.manager.progress = true;
    turn.note(Level::info, "worker_extended", worker,
              "asked for more time: this stage ends in " + seconds(granted - turn.now) + ", " +
                  seconds(worker.extended) + " of " + seconds(turn.state.policy.max_extension) + " granted in all");
    if (worker.state != WorkerState::starting) tell_stage(turn, worker);
}

}  // namespace holdfast::core
