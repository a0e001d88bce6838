#include "runtime/deeds.hpp"

#include <cerrno>
#include <utility>

#include "os/packet.hpp"
#include "wire/wire.hpp"

namespace holdfast::runtime {

namespace {

std::string list(const std::vector<os::ProcessStatus>& processes) {
    constexpr std::size_t most = 8;
    std::string text;
    for (std::size_t index = 0; index < processes.size() && index < most; ++index) {
        if (index > 0) text += ", ";
        text += wire::printable(processes[index].name) + " (pid " + std::to_string(processes[index].pid) + ")";
    }
    if (processes.size() > most) text += " and " + std::to_string(processes.size() - most) + " more";
    return text;
}

}  // namespace

void Deeds::carry_out(const core::Action& action) {
    std::visit([this](const auto& chosen) { act(chosen); }, action);
}

void Deeds::act(const core::Prepare& action) { hands_.preparing.prepare(action); }

void Deeds::act(const core::AbandonPreparation& action) { hands_.preparing.abandon(action.spec); }

void Deeds::act(const core::ServeWith& action) { hands_.launching.serve_with(action.spec); }

void Deeds::act(const core::AdoptPlan& action) { hands_.plans.adopt(action.plan); }

void Deeds::act(const core::DropPlan& action) { hands_.plans.drop(action.plan); }

void Deeds::act(const core::Probe& action) {
    if (Worker* worker = hands_.workers.find(action.worker)) hands_.probing.probe(*worker);
}

void Deeds::act(const core::CheckClaim& action) {
    if (Worker* worker = hands_.workers.find(action.worker)) hands_.claims.check(*worker);
}

void Deeds::act(const core::Record& action) { hands_.ledger.record(action); }

void Deeds::act(const core::Spawn& action) { hands_.launching.spawn(action); }

void Deeds::act(const core::Tell& action) {
    Worker* worker = hands_.workers.find(action.worker);
    if (worker == nullptr) return;
    if (action.command.stage == Stage::drain) {
        hands_.listeners.suspect("worker " + worker->name + " (pid " + std::to_string(worker->pid()) +
                                 ") had just been told to drain");
    }
    const std::string packet = wire::encode(action.command);
    const auto sent = worker->control ? os::send_packet(worker->control->native_handle(), packet) : os::Sent::lost;
    if (sent == os::Sent::sent) return;
    failed(*worker, sent == os::Sent::full ? "its control pipe is full: it does not read its commands"
                                           : "its control pipe is closed");
    if (action.fallback_signal != 0) send(*worker, action.fallback_signal, core::Target::main);
}

void Deeds::act(const core::Signal& action) {
    Worker* worker = hands_.workers.find(action.worker);
    if (worker == nullptr) return;
    hands_.listeners.suspect("worker " + worker->name + " (pid " + std::to_string(worker->pid()) +
                             ") had just been sent " + signal_name(action.signal));
    send(*worker, action.signal, action.target);
}

void Deeds::act(const core::Kill& action) {
    Worker* worker = hands_.workers.find(action.worker);
    if (worker == nullptr) return;
    worker->wanted = Worker::Wanted::dead;
    if (!worker->leader) return;
    name_strays(*worker, hands_.reaping.scan(*worker), "SIGKILL");
    const auto spared = hands_.reaping.kill(*worker);
    if (!spared.empty()) {
        failed(*worker, "SIGKILL is not permitted for " + list(spared.group) + list(spared.strays));
    }
}

void Deeds::act(const core::Forget& action) {
    if (Worker* worker = hands_.workers.find(action.worker); worker != nullptr && !worker->leader) {
        hands_.listeners.suspect("worker " + worker->name + " (pid " + std::to_string(worker->pid()) +
                                 ") had just ended");
    }
    hands_.listeners.look_at_backlogs();
    if (Worker* worker = hands_.workers.find(action.worker)) {
        hands_.hearing.hang_up(*worker);
        hands_.reaping.leave_behind(*worker);
    }
    hands_.probing.forget(action.worker);
    hands_.launching.forget(action.worker);
}

void Deeds::act(const core::ForgetSpec& action) { hands_.launching.forget_spec(action.spec); }

void Deeds::act(const core::SetDoors& action) { hands_.listeners.set_doors(action.doors); }

void Deeds::act(const core::SetOtherDoors& action) { hands_.launching.set_other_doors(action.spec, action.doors); }

void Deeds::act(const core::Answer& action) { hands_.answer(action.request, action.outcome); }

void Deeds::act(const core::Note& action) {
    const Worker* worker = action.worker ? hands_.workers.find(*action.worker) : nullptr;
    if (worker == nullptr) return hands_.log.write(action.level, action.event, action.text);
    hands_.log.write(action.level, action.event, {worker->name, worker->pid()}, action.text);
    if (action.event == "worker_ready" || action.event == "worker_settled") hands_.listeners.look_at_backlogs();
}

void Deeds::act(const core::ManagerReady&) { hands_.manager.tell("READY=1"); }

void Deeds::act(const core::ManagerStopping&) { hands_.manager.tell("STOPPING=1"); }

void Deeds::act(const core::ManagerExtend& action) {
    hands_.manager.tell("EXTEND_TIMEOUT_USEC=" + std::to_string(action.at_least.count()));
}

void Deeds::act(const core::ManagerStatus& action) { hands_.manager.tell("STATUS=" + action.text); }

void Deeds::act(const core::Finish& action) { hands_.finish(action.exit_code); }

void Deeds::send(Worker& worker, int signal, core::Target target) {
    if (!worker.leader) return;
    Result<void> sent;
    switch (target) {
        case core::Target::main:
            sent = os::send_signal(worker.main_process(), signal);
            break;
        case core::Target::group:
            sent = os::signal_group(worker.leader, signal);
            break;
        case core::Target::strays: {
            const auto tree = hands_.reaping.scan(worker);
            name_strays(worker, tree, signal_name(signal));
            os::signal_strays(tree, signal);
            break;
        }
    }
    if (!sent && sent.error().code != ESRCH) failed(worker, sent.error().text);
}

void Deeds::name_strays(const Worker& worker, const os::ProcessTree& tree, std::string_view what) {
    if (tree.strays.empty()) return;
    hands_.log.write(core::Level::warning, "strays_found", {worker.name, worker.pid()},
                     "descendants that left its process group get " + std::string(what) + " too: " + list(tree.strays));
}

void Deeds::failed(const Worker& worker, std::string_view why) {
    hands_.log.write(core::Level::warning, "worker_not_reached", {worker.name, worker.pid()}, why);
}

}  // namespace holdfast::runtime
