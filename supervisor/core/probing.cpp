#include "core/probing.hpp"

#include "core/crashes.hpp"
#include "core/worker_transitions.hpp"

namespace holdfast::core {
namespace {

using Probing = Worker::Probing;

bool is_in_rollout(const State& state, const Worker& worker) {
    return state.rollout && state.rollout->direction == Rollout::Direction::forward &&
           worker.generation == state.rollout->next.generation;
}

bool wants_probes(const State& state, const Worker& worker) {
    if (!std::holds_alternative<ReadyProbe>(worker.health.ready_when) || worker.launch == Launch::pending) return false;
    return worker.state == WorkerState::starting || (is_ready(worker) && is_in_rollout(state, worker));
}

void handle_good_answer(StepContext& context, Worker& worker) {
    worker.probes_failed = 0;
    worker.probe_text.clear();
    apply(context, worker, Trigger::became_ready);
}

void handle_bad_answer(StepContext& context, Worker& worker, const std::string& text) {
    worker.probe_text = text;
    if (!is_ready(worker)) return;
    if (++worker.probes_failed < probes_missed) return;
    fail_worker(context, worker,
                "failed " + std::to_string(worker.probes_failed) + " probes in a row: the last one said " + text);
}

}  // namespace

std::optional<Instant> probes_at(const State& state, const Worker& worker) {
    if (worker.probing == Probing::awaited || !wants_probes(state, worker)) return std::nullopt;
    return worker.probe_at == never ? *worker.spawned_at : worker.probe_at;
}

void send_probes(StepContext& context) {
    for (auto& [id, worker] : context.state.workers) {
        const auto at = probes_at(context.state, worker);
        if (!at || *at > context.now) continue;
        worker.probing = Probing::awaited;
        context.add(Probe{id});
    }
}

void on_probe_answered(StepContext& context, const ProbeAnswered& event) {
    const auto found = context.state.workers.find(event.worker);
    if (found == context.state.workers.end() || found->second.probing == Probing::no) return;
    Worker& worker = found->second;
    worker.probing = Probing::no;
    worker.probe_at = context.now + probe_every;
    if (!wants_probes(context.state, worker)) return;
    if (event.answer == ProbeAnswered::Answer::good) return handle_good_answer(context, worker);
    handle_bad_answer(context, worker, event.text);
}

std::string probe_failure_text(const Worker& worker) {
    return worker.probe_text.empty() ? std::string{} : ": the last probe said " + worker.probe_text;
}

}  // namespace holdfast::core
