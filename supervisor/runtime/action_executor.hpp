#pragma once

#include <functional>
#include <unordered_map>

#include "core/action.hpp"
#include "os/service_manager.hpp"
#include "runtime/history.hpp"
#include "runtime/launch_preparation.hpp"
#include "runtime/listener_claim.hpp"
#include "runtime/listeners.hpp"
#include "runtime/log.hpp"
#include "runtime/readiness_prober.hpp"
#include "runtime/reload_plans.hpp"
#include "runtime/worker.hpp"
#include "runtime/worker_launcher.hpp"
#include "runtime/worker_reaper.hpp"

namespace holdfast::runtime {

// Executes the actions of the core, one function for each kind. A failure is logged and has no other effect: the
// escalation continues at its deadlines.
class ActionExecutor {
  public:
    struct Dependencies {
        WorkerTable& workers;
        LaunchPreparation& launch_preparation;
        ReloadPlans& plans;
        WorkerLauncher& worker_launcher;
        ReadinessProber& readiness_prober;
        ListenerClaimChecker& listener_claim_checker;
        History& history;
        WorkerReaper& worker_reaper;
        WorkerChannels& channels;
        Listeners& listeners;
        Log& log;
        const os::ServiceManager& manager;
        std::function<void(RequestId, core::Outcome)> answer;
        std::function<void(int)> finish;
    };
    explicit ActionExecutor(Dependencies dependencies) : dependencies_(std::move(dependencies)) {}

    void execute(const core::Action& action);

  private:
    void run(const core::Prepare& action);
    void run(const core::AbandonPreparation& action);
    void run(const core::ServeWith& action);
    void run(const core::AdoptPlan& action);
    void run(const core::DropPlan& action);
    void run(const core::Probe& action);
    void run(const core::CheckListenerClaim& action);
    void run(const core::CheckBacklogs& action);
    void run(const core::Record& action);
    void run(const core::Spawn& action);
    void run(const core::Tell& action);
    void run(const core::Signal& action);
    void run(const core::Kill& action);
    void run(const core::Forget& action);
    void run(const core::ForgetSpec& action);
    void run(const core::SetAdmission& action);
    void run(const core::SetRemovedListenerAdmission& action);
    void run(const core::Answer& action);
    void run(const core::Note& action);
    void run(const core::ManagerReady& action);
    void run(const core::ManagerStopping& action);
    void run(const core::ManagerExtend& action);
    void run(const core::ManagerStatus& action);
    void run(const core::Finish& action);

    void send(Worker& worker, int signal, core::Target target);
    void log_strays(const Worker& worker, const os::ProcessTree& tree, std::string_view what);
    void log_failure(const Worker& worker, std::string_view why);

    Dependencies dependencies_;
};

}  // namespace holdfast::runtime
