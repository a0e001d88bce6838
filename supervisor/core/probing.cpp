#include "core/probing.hpp"

#include "core/crashes.hpp"
#include "core/ladder.hpp"

namespace holdfast::core {
namespace {

using Probing = Worker::Probing;

bool is_in_rollout(const State& state, const Worker& worker) {
    return state.rollout && state.rollout->direction == Rollout::Direction::forward &&
           worker.generation == state.rollout->next.generation;
}

bool wants_probes(const State& state, const Worker& worker) {
    if (!std::holds_alternative<ReadyProbe>(worker.terms.ready_when) || worker.launch == Launch::pending) return false;
    return worker.state == WorkerState::starting || (is_ready(worker) && is_in_rollout(state, worker));
}

void take_good(Turn& turn, Worker& worker) {
    worker.probes_failed = 0;
    worker.probe_text.clear();
    apply(turn, worker, Trigger::became_ready);
}

void take_bad(Turn& turn, Worker& worker, const std::string& text) {
    worker.probe_text = text;
    if (!is_ready(worker)) return;
    if (++worker.probes_failed < probes_missed) return;
    give_up(turn, worker,
            "failed " + std::to_string(worker.probes_failed) + " probes in a row: the last one said " + text);
}

}  // namespace

std::optional<Instant> probes_at(const State& state, const Worker& worker) {
    if (worker.probing == Probing::awaited || !wants_probes(state, worker)) return std::nullopt;
    return worker.probe_at == never ? *worker.spawned_at : worker.probe_at;
}

void ask_probes(Turn& turn) {
    for (auto& [id, worker] : turn.state.workers) {
        const auto at = probes_at(turn.state, worker);
        if (!at || *at > turn.now) continue;
        worker.probing = Probing::awaited;
        turn.add(Probe{id});
    }
}

void on_probe_answered(Turn& turn, const ProbeAnswered& event) {
    const auto found = turn.state.workers.find(event.worker);
    if (found == turn.state.workers.end() || found->second.probing == Probing::no) return;
    Worker& worker = found->second;
    worker.probing = Probing::no;
    worker.probe_at = turn.now + probe_every;
    if (!wants_probes(turn.state, worker)) return;
    if (event.answer == ProbeAnswered::Answer::good) return take_good(turn, worker);
    take_bad(turn, worker, event.text);
}

std::string probe_words(const Worker& worker) {
    return worker.probe_text.empty() ? std::string{} : ": the last probe said " + worker.probe_text;
}

}  // namespace holdfast::core
