#include "core/readiness.hpp"

#include "core/ladder.hpp"
#include "core/words.hpp"

namespace holdfast::core {
namespace {

std::optional<Duration> life_that_counts(const State& state, const Worker& worker) {
    const ReadyWhen& when = worker.terms.ready_when;
    if (const auto* alive = std::get_if<ReadyAlive>(&when)) return alive->lived;
    if (std::holds_alternative<ReadyAuto>(when) && !state.anybody_spoke) return auto_ready_after;
    return std::nullopt;
}

void say_that_time_stood_in(Turn& turn, const Worker& worker) {
    State& state = turn.state;
    if (state.told_ready_by_time || !std::holds_alternative<ReadyAuto>(worker.terms.ready_when)) return;
    state.told_ready_by_time = true;
    turn.note(Level::warning, "ready_by_time", worker,
              "no worker says when it is ready, so one that lives " + seconds(auto_ready_after) +
                  " counts; send READY=1 and choose --ready-when notify, or a time of your own with --ready-when "
                  "alive:DURATION");
}

}  // namespace

std::optional<Instant> ready_by_time(const State& state, const Worker& worker) {
    if (worker.state != WorkerState::starting || !worker.spawned_at) return std::nullopt;
    const auto life = life_that_counts(state, worker);
    if (!life) return std::nullopt;
    return *worker.spawned_at + *life;
}

std::optional<Instant> settles_at(const State& state, const Worker& worker) {
    const bool is_known = worker.claiming == Worker::Claiming::no;
    if (!is_ready(worker) || worker.settled || !is_known) return std::nullopt;
    return worker.ready_since.value_or(worker.since) + state.policy.settle;
}

void settle_if_due(Turn& turn, Worker& worker) {
    const auto at = settles_at(turn.state, worker);
    if (!at || *at > turn.now) return;
    worker.settled = true;
    turn.note(Level::debug, "worker_settled", worker, "ready for " + seconds(turn.state.policy.settle));
}

void let_time_count(Turn& turn, Worker& worker) {
    if (const auto at = ready_by_time(turn.state, worker); at && *at <= turn.now) {
        say_that_time_stood_in(turn, worker);
        apply(turn, worker, Trigger::became_ready);
    }
    settle_if_due(turn, worker);
}

}  // namespace holdfast::core
