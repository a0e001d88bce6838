#include "runtime/action_executor.hpp"

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

void ActionExecutor::execute(const core::Action& action) {
    std::visit([this](const auto& chosen) { run(chosen); }, action);
}

void ActionExecutor::run(const core::Prepare& action) { dependencies_.launch_preparation.prepare(action); }

void ActionExecutor::run(const core::AbandonPreparation& action) {
    dependencies_.launch_preparation.abandon(action.spec);
}

void ActionExecutor::run(const core::ServeWith& action) { dependencies_.worker_launcher.serve_with(action.spec); }

void ActionExecutor::run(const core::AdoptPlan& action) { dependencies_.plans.adopt(action.plan); }

void ActionExecutor::run(const core::DropPlan& action) { dependencies_.plans.drop(action.plan); }

void ActionExecutor::run(const core::Probe& action) {
    if (Worker* worker = dependencies_.workers.find(action.worker)) dependencies_.readiness_prober.probe(*worker);
}

void ActionExecutor::run(const core::CheckListenerClaim& action) {
    if (Worker* worker = dependencies_.workers.find(action.worker)) dependencies_.listener_claim_checker.check(*worker);
}

void ActionExecutor::run(const core::CheckBacklogs&) { dependencies_.listeners.check_backlogs(); }

void ActionExecutor::run(const core::Record& action) { dependencies_.history.record(action); }

void ActionExecutor::run(const core::Spawn& action) { dependencies_.worker_launcher.spawn(action); }

void ActionExecutor::run(const core::Tell& action) {
    Worker* worker = dependencies_.workers.find(action.worker);
    if (worker == nullptr) return;
    if (action.command.stage == Stage::drain) {
        dependencies_.listeners.suspect("worker " + worker->name + " (pid " + std::to_string(worker->pid()) +
                                        ") had just been told to drain");
    }
    const std::string packet = wire::encode(action.command);
    const auto sent =
        worker->control ? os::send_packet(worker->control->native_handle(), packet) : os::SendResult::lost;
    if (sent == os::SendResult::sent) return;
    log_failure(*worker, sent == os::SendResult::full ? "its control pipe is full: it does not read its commands"
                                                      : "its control pipe is closed");
    if (action.fallback_signal != 0) send(*worker, action.fallback_signal, core::Target::main);
}

void ActionExecutor::run(const core::Signal& action) {
    Worker* worker = dependencies_.workers.find(action.worker);
    if (worker == nullptr) return;
    dependencies_.listeners.suspect("worker " + worker->name + " (pid " + std::to_string(worker->pid()) +
                                    ") had just been sent " + signal_name(action.signal));
    send(*worker, action.signal, action.target);
}

void ActionExecutor::run(const core::Kill& action) {
    Worker* worker = dependencies_.workers.find(action.worker);
    if (worker == nullptr) return;
    worker->kill_requested = Worker::KillRequested::yes;
    if (!worker->leader) return;
    log_strays(*worker, dependencies_.worker_reaper.scan(*worker), "SIGKILL");
    const auto spared = dependencies_.worker_reaper.kill(*worker);
    if (!spared.empty()) {
        log_failure(*worker, "SIGKILL is not permitted for " + list(spared.group) + list(spared.strays));
    }
}

void ActionExecutor::run(const core::Forget& action) {
    if (Worker* worker = dependencies_.workers.find(action.worker); worker != nullptr && !worker->leader) {
        dependencies_.listeners.suspect("worker " + worker->name + " (pid " + std::to_string(worker->pid()) +
                                        ") had just ended");
    }
    dependencies_.listeners.check_backlogs();
    if (Worker* worker = dependencies_.workers.find(action.worker)) {
        dependencies_.channels.close_channels(*worker);
        dependencies_.worker_reaper.disown(*worker);
    }
    dependencies_.readiness_prober.forget(action.worker);
    dependencies_.worker_launcher.forget(action.worker);
}

void ActionExecutor::run(const core::ForgetSpec& action) { dependencies_.worker_launcher.forget_spec(action.spec); }

void ActionExecutor::run(const core::SetAdmission& action) { dependencies_.listeners.set_admission(action.admission); }

void ActionExecutor::run(const core::SetRemovedListenerAdmission& action) {
    dependencies_.worker_launcher.set_removed_listener_admission(action.spec, action.admission);
}

void ActionExecutor::run(const core::Answer& action) { dependencies_.answer(action.request, action.outcome); }

void ActionExecutor::run(const core::Note& action) {
    const Worker* worker = action.worker ? dependencies_.workers.find(*action.worker) : nullptr;
    if (worker == nullptr) return dependencies_.log.write(action.level, action.event, action.text);
    dependencies_.log.write(action.level, action.event, {worker->name, worker->pid()}, action.text);
}

void ActionExecutor::run(const core::ManagerReady&) { dependencies_.manager.notify("READY=1"); }

void ActionExecutor::run(const core::ManagerStopping&) { dependencies_.manager.notify("STOPPING=1"); }

void ActionExecutor::run(const core::ManagerExtend& action) {
    dependencies_.manager.notify("EXTEND_TIMEOUT_USEC=" + std::to_string(action.at_least.count()));
}

void ActionExecutor::run(const core::ManagerStatus& action) { dependencies_.manager.notify("STATUS=" + action.text); }

void ActionExecutor::run(const core::Finish& action) { dependencies_.finish(action.exit_code); }

void ActionExecutor::send(Worker& worker, int signal, core::Target target) {
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
            log_strays(worker, dependencies_.worker_reaper.signal_strays(worker, signal), signal_name(signal));
            break;
        }
    }
    if (!sent && sent.error().code != ESRCH) log_failure(worker, sent.error().text);
}

void ActionExecutor::log_strays(const Worker& worker, const os::ProcessTree& tree, std::string_view what) {
    if (tree.strays.empty()) return;
    dependencies_.log.write(
        core::Level::warning, "strays_found", {worker.name, worker.pid()},
        "descendants that left its process group get " + std::string(what) + " too: " + list(tree.strays));
}

void ActionExecutor::log_failure(const Worker& worker, std::string_view why) {
    dependencies_.log.write(core::Level::warning, "worker_not_reached", {worker.name, worker.pid()}, why);
}

}  // namespace holdfast::runtime
