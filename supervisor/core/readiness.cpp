#include "core/readiness.hpp"

#include "core/describe/text.hpp"
#include "core/worker_transitions.hpp"

namespace holdfast::core {
namespace {

std::optional<Duration> required_uptime(const State& state, const Worker& worker) {
    const ReadyWhen& when = worker.health.ready_when;
    if (const auto* alive = std::get_if<ReadyAlive>(&when)) return alive->lived;
    if (std::holds_alternative<ReadyAuto>(when) && !state.any_worker_notified) return auto_ready_after;
    return std::nullopt;
}

void note_ready_by_time(StepContext& context, const Worker& worker) {
    State& state = context.state;
    if (state.logged_ready_by_time || !std::holds_alternative<ReadyAuto>(worker.health.ready_when)) return;
    state.logged_ready_by_time = true;
    context.note(Level::warning, "ready_by_time", worker,
                 "no worker reports when it is ready, so a worker counts as ready " + seconds(auto_ready_after) +
                     " after its launch; send READY=1 and use --ready-when notify, or set a time with --ready-when "
                     "alive:DURATION");
}

}  // namespace

std::optional<Instant> ready_by_time(const State& state, const Worker& worker) {
    if (worker.state != WorkerState::starting || !worker.spawned_at) return std::nullopt;
    const auto life = required_uptime(state, worker);
    if (!life) return std::nullopt;
    return *worker.spawned_at + *life;
}

std::optional<Instant> settles_at(const State& state, const Worker& worker) {
    const bool is_known = worker.claim_check == Worker::ClaimCheck::no;
    if (!is_ready(worker) || worker.settled || !is_known) return std::nullopt;
    return worker.ready_since.value_or(worker.since) + state.policy.settle;
}

void settle_if_due(StepContext& context, Worker& worker) {
    const auto at = settles_at(context.state, worker);
    if (!at || *at > context.now) return;
    worker.settled = true;
    context.note(Level::debug, "worker_settled", worker, "ready for " + seconds(context.state.policy.settle));
    context.add(CheckBacklogs{});
}

void apply_elapsed_time(StepContext& context, Worker& worker) {
    if (const auto at = ready_by_time(context.state, worker); at && *at <= context.now) {
        note_ready_by_time(context, worker);
        apply(context, worker, Trigger::became_ready);
    }
    settle_if_due(context, worker);
}

}  // namespace holdfast::core
