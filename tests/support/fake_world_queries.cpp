// The actions that are answered by an event: preparations, probes, listener checks; and the actions for launch specs,
// listeners and the history.

#include <algorithm>
#include <string>

#include "tests/support/fake_world.hpp"

namespace holdfast::testing {

void FakeWorld::check_allowed(const FakeSpecs::Fault& fault) {
    if (fault) violated(*fault);
}

void FakeWorld::carry_out(const core::Prepare& action) {
    if (action.generation <= last_started_) violated("Prepare of a generation that is not new");
    last_started_ = action.generation;
    check_allowed(specs_.prepare(action));
    const PreparationScript script = preparation_source_ ? preparation_source_(action) : PreparationScript{};
    preparations_.push_back({action.spec, script});
    if (script.result != PreparationScript::Result::never) plan(preparations_.size() - 1, What::prepared, script.takes);
}

void FakeWorld::carry_out(const core::AbandonPreparation& action) {
    check_allowed(specs_.abandon(action.spec));
    for (Preparation& preparation : preparations_)
        if (preparation.spec == action.spec) preparation.state = Preparation::State::over;
}

void FakeWorld::deliver_prepared(Preparation& preparation) {
    preparation.state = Preparation::State::over;
    const LaunchSpecId spec = preparation.spec;
    const bool is_well = preparation.script.result == PreparationScript::Result::succeeds;
    specs_.prepared(spec, is_well ? FakeSpecs::Prepared::succeeded : FakeSpecs::Prepared::failed);
    if (is_well) return feed(core::Prepared{spec, "", {}});
    feed(core::Prepared{spec, "--pre-restart exited with status 1", {"no such table: users"}});
}

bool FakeWorld::is_forgotten_in_this_step(WorkerId id) const {
    return std::ranges::any_of(actions_, [&](const core::Action& action) {
        const auto* forget = std::get_if<core::Forget>(&action);
        return forget != nullptr && forget->worker == id;
    });
}

void FakeWorld::carry_out(const core::ServeWith& action) {
    std::vector<LaunchSpecId> accepting;
    for (const FakeWorker& worker : workers_) {
        const bool may_accept = worker.is_alive() && worker.accepts && !worker.killed_at;
        if (may_accept && !is_forgotten_in_this_step(worker.id())) accepting.push_back(worker.spawn.spec);
    }
    check_allowed(specs_.serve_with(action.spec, accepting));
}

void FakeWorld::carry_out(const core::SetRemovedListenerAdmission& action) {
    specs_.set_removed_listener_admission(action);
}

void FakeWorld::carry_out(const core::Probe& action) {
    const auto index = subject_of(action.worker, "Probe");
    if (!index) return;
    FakeWorker& worker = workers_[*index];
    const std::string name = "worker #" + std::to_string(action.worker.value);
    if (!worker.spawned_at) return violated("Probe before Spawned of " + name);
    if (worker.is_probed) return violated("Probe while the answer to another one is outstanding: " + name);
    worker.is_probed = true;
    plan(*index, What::probe_answer, worker.script.probe_takes);
}

void FakeWorld::deliver_probe_answer(FakeWorker& worker) {
    worker.is_probed = false;
    const WorkerScript& script = worker.script;
    const Duration age = now_ - *worker.spawned_at;
    const auto fails = script.fails_probes_after;
    const bool is_failing = fails && age >= *fails && age < *fails + script.fails_probes_for;
    const bool is_up = worker.life == FakeWorker::Life::running && script.ready_after && age >= *script.ready_after;
    if (!is_up || is_failing)
        return feed(core::ProbeAnswered{worker.id(), core::ProbeAnswered::Answer::bad, is_up ? "HTTP 500" : "refused"});
    ++worker.good_answers;
    feed(core::ProbeAnswered{worker.id(), core::ProbeAnswered::Answer::good, ""});
}

void FakeWorld::carry_out(const core::CheckListenerClaim& action) {
    const auto index = subject_of(action.worker, "CheckListenerClaim");
    if (!index) return;
    FakeWorker& worker = workers_[*index];
    if (worker.is_claim_checked)
        return violated("CheckListenerClaim while the answer to another one is outstanding: worker #" +
                        std::to_string(action.worker.value));
    worker.is_claim_checked = true;
    plan(*index, What::claim_answer, worker.script.claim_takes);
}

// Checks that each generation is recorded as started once, with a new number.
void FakeWorld::carry_out(const core::Record& action) {
    if (action.event != "started") return;
    if (action.generation <= last_recorded_)
        violated("generation " + std::to_string(action.generation.value) + " is recorded as started again");
    last_recorded_ = action.generation;
}

}  // namespace holdfast::testing
