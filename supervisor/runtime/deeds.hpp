#pragma once

#include <functional>
#include <unordered_map>

#include "core/action.hpp"
#include "os/service_manager.hpp"
#include "runtime/claims.hpp"
#include "runtime/launching.hpp"
#include "runtime/ledger.hpp"
#include "runtime/listeners.hpp"
#include "runtime/log.hpp"
#include "runtime/plans.hpp"
#include "runtime/preparing.hpp"
#include "runtime/probing.hpp"
#include "runtime/reaping.hpp"
#include "runtime/worker.hpp"

namespace holdfast::runtime {

// Carries out core's actions, each by one function. What fails here is logged and changes nothing else: the ladder goes
// on by its deadlines.
class Deeds {
  public:
    struct Hands {
        WorkerTable& workers;
        Preparing& preparing;
        Plans& plans;
        Launching& launching;
        Probing& probing;
        Claims& claims;
        Ledger& ledger;
        Reaping& reaping;
        Hearing& hearing;
        Listeners& listeners;
        Log& log;
        const os::ServiceManager& manager;
        std::function<void(RequestId, core::Outcome)> answer;
        std::function<void(int)> finish;
    };
    explicit Deeds(Hands hands) : hands_(std::move(hands)) {}

    void carry_out(const core::Action& action);

  private:
    void act(const core::Prepare& action);
    void act(const core::AbandonPreparation& action);
    void act(const core::ServeWith& action);
    void act(const core::AdoptPlan& action);
    void act(const core::DropPlan& action);
    void act(const core::Probe& action);
    void act(const core::CheckClaim& action);
    void act(const core::Record& action);
    void act(const core::Spawn& action);
    void act(const core::Tell& action);
    void act(const core::Signal& action);
    void act(const core::Kill& action);
    void act(const core::Forget& action);
    void act(const core::ForgetSpec& action);
    void act(const core::SetDoors& action);
    void act(const core::SetOtherDoors& action);
    void act(const core::Answer& action);
    void act(const core::Note& action);
    void act(const core::ManagerReady& action);
    void act(const core::ManagerStopping& action);
    void act(const core::ManagerExtend& action);
    void act(const core::ManagerStatus& action);
    void act(const core::Finish& action);

    void send(Worker& worker, int signal, core::Target target);
    void name_strays(const Worker& worker, const os::ProcessTree& tree, std::string_view what);
    void failed(const Worker& worker, std::string_view why);

    Hands hands_;
};

}  // namespace holdfast::runtime
