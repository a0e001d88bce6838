#include "core/worker_transitions.hpp"

#include <algorithm>
#include <utility>

#include "core/describe/text.hpp"
#include "core/listener_claim.hpp"
#include "core/stage_delivery.hpp"
#include "core/watchdog.hpp"

namespace holdfast::core {
namespace {

Duration time_until_kill(const Policy& policy, const Worker& worker) {
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

Duration stage_duration(const Policy& policy, const Worker& worker) {
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

void enter_ready(StepContext& context, Worker& worker) {
    const bool back = worker.ready_since.has_value();
    worker.deadline = worker.kill_at = never;
    worker.reason.reset();
    worker.why.clear();
    start_watchdog(context, worker);
    if (back) {
        context.note(Level::info, "worker_recalled", worker, "accepts again and is ready");
        return;
    }
    worker.ready_since = context.now;
    context.note(Level::info, "worker_ready", worker,
                 "ready " + seconds(context.now - worker.spawned_at.value_or(context.now)) + " after its launch");
    context.add(CheckBacklogs{});
    check_listener_claim(context, worker);
}

// During a stop, exit status 3 reports that work was cut off.
void enter_cancelling(StepContext& context, Worker& worker) {
    auto& shutdown = context.state.shutdown;
    if (shutdown && shutdown->cause == Shutdown::Cause::stop && has_work_left(worker)) shutdown->exit_code = 3;
    context.note(Level::warning, "worker_held", worker,
                 "when it was cancelled: " + explain_held_work(worker, context.now));
}

void enter_killed(StepContext& context, Worker& worker) {
    State& state = context.state;
    if (state.shutdown && state.shutdown->cause == Shutdown::Cause::stop) state.shutdown->exit_code = 3;
    if (state.rollout && worker.generation != state.rollout->next.generation) {
        state.rollout->killed.push_back(name_of(worker));
    }
    context.add(Kill{worker.id});
    context.note(Level::warning, "worker_killed", worker, "killed with its whole process tree");
    const std::string held = explain_held_work(worker, context.now);
    context.note(Level::warning, "worker_held", worker, held);
    context.record(worker.generation, "worker_killed", "killed with its whole process tree: " + held, name_of(worker));
}

void enter(StepContext& context, Worker& worker, WorkerState next) {
    const Policy& policy = context.state.policy;
    worker.state = next;
    worker.recalled = worker.signalled = false;
    if (next == WorkerState::gone) return;
    worker.since = context.now;
    if (next == WorkerState::ready) return enter_ready(context, worker);
    worker.deadline = context.now + stage_duration(policy, worker);
    worker.kill_at = context.now + time_until_kill(policy, worker);
    if (next == WorkerState::killed) return enter_killed(context, worker);
    if (next == WorkerState::cancelling) enter_cancelling(context, worker);
    deliver_stage(context, worker);
}

// The starting workers of the first generation share one deadline.
void extend_first_generation(StepContext& context, Worker& worker, Instant wanted) {
    FirstGeneration& first = *context.state.first_generation;
    const Instant granted = std::min(wanted, first.last_possible);
    if (granted <= first.deadline) return;
    context.note(Level::info, "worker_extended", worker,
                 "asked for more time: the first generation has " + seconds(granted - context.now) + " left");
    first.deadline = granted;
    for (auto& [id, other] : context.state.workers) {
        if (other.state == WorkerState::starting) other.deadline = granted;
    }
}

}  // namespace

void apply(StepContext& context, Worker& worker, Trigger trigger) {
    ++context.state.transition_counts[static_cast<std::size_t>(worker.state)][static_cast<std::size_t>(trigger)];
    const auto next = next_state(worker.state, trigger);
    if (next && *next != worker.state) enter(context, worker, *next);
}

void ask_to_leave(StepContext& context, Worker& worker, const LeaveRequest& request) {
    const bool has_lame_duck = request.lame_duck == LameDuck::as_configured && context.state.policy.lame_duck > 0s;
    const bool was_recalled = std::exchange(worker.recalled, false);
    const WorkerState before = worker.state;
    if (stays(worker) || was_recalled) {
        worker.reason = request.reason;
        worker.why = request.why;
    }
    apply(context, worker, has_lame_duck ? Trigger::asked_to_lame_duck : Trigger::asked_to_leave);
    if (was_recalled && worker.state == before) deliver_stage(context, worker);
}

void pause(StepContext& context, Worker& worker, Duration pause_for) {
    worker.pause_for = pause_for;
    if (!std::exchange(worker.recalled, false)) return apply(context, worker, Trigger::asked_to_pause);
    worker.since = context.now;
    worker.deadline = context.now + stage_duration(context.state.policy, worker);
    worker.kill_at = context.now + time_until_kill(context.state.policy, worker);
    deliver_stage(context, worker);
}

void recall(StepContext& context, Worker& worker) {
    worker.recalled = true;
    if (worker.state == WorkerState::paused) {
        // The same time to answer as for a draining worker.
        const Policy& policy = context.state.policy;
        worker.deadline = context.now + policy.grace_period;
        worker.kill_at = worker.deadline + policy.grace_period + policy.cancel_period;
    }
    context.add(Tell{worker.id, Command{Stage::run, std::nullopt, std::nullopt, std::nullopt}, 0});
    context.note(Level::info, "worker_told", worker, "told to accept again");
}

void deliver_pending_stage(StepContext& context, Worker& worker) {
    if (worker.state == WorkerState::killed) context.add(Kill{worker.id});
    deliver_stage(context, worker);
}

void lose_channel(StepContext& context, Worker& worker) {
    const bool was_sent = can_receive_stage(worker) && !worker.signalled;
    const bool has_reacted = worker.accepting == false || worker.releasing || worker.drained;
    worker.channel = Channel::lost;
    worker.recalled = false;
    apply(context, worker, Trigger::channel_lost);
    if (was_sent && !has_reacted) signal_stage(context, worker);
}

void extend(StepContext& context, Worker& worker, std::int64_t extend_usec) {
    const bool can = worker.state == WorkerState::starting || worker.state == WorkerState::draining ||
                     worker.state == WorkerState::cancelling;
    if (!can || extend_usec <= 0 || context.state.policy.max_extension == Duration::zero()) return;
    // Limits the requested time: a worker may ask for more than an Instant can represent.
    const Instant wanted = context.now + std::min(Duration{extend_usec},
                                                  context.state.policy.max_extension + (worker.deadline - context.now));
    if (worker.state == WorkerState::starting && context.state.first_generation) {
        return extend_first_generation(context, worker, wanted);
    }
    const Instant granted = std::min(wanted, worker.deadline + (context.state.policy.max_extension - worker.extended));
    if (granted <= worker.deadline) return;
    const Duration more = granted - worker.deadline;
    worker.extended += more;
    worker.deadline = granted;
    if (worker.kill_at != never) worker.kill_at += more;
    context.state.manager.progress = true;
    context.note(Level::info, "worker_extended", worker,
                 "asked for more time: this stage ends in " + seconds(granted - context.now) + ", " +
                     seconds(worker.extended) + " of " + seconds(context.state.policy.max_extension) +
                     " granted in all");
    if (worker.state != WorkerState::starting) send_stage(context, worker);
}

}  // namespace holdfast::core
