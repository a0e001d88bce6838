#pragma once

#include <boost/asio/io_context.hpp>
#include <functional>
#include <list>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "core/action.hpp"
#include "os/launch_spec.hpp"
#include "os/reaper.hpp"
#include "runtime/errand.hpp"
#include "runtime/ledger_line.hpp"
#include "runtime/listeners.hpp"
#include "runtime/output.hpp"
#include "runtime/plans.hpp"
#include "runtime/pre_restart.hpp"
#include "runtime/pump.hpp"
#include "runtime/specs.hpp"

namespace holdfast::runtime {

// Of a spec that holds its program.
ProgramFacts facts_of(const Spec& spec);

// Carries out Prepare, one at a time: binds listeners, makes or looks again at a launch spec on a thread of its own
// (file systems can hang), and runs --pre-restart for a spec that is new.
class Preparing {
  public:
    struct Hands {
        boost::asio::io_context& io;
        Pump& pump;
        Output& output;
        Listeners& listeners;
        Specs& specs;
        Plans& plans;
        std::string service;                   // HOLDFAST_NAME
        std::vector<std::string> environment;  // the supervisor's own
        std::function<void(Generation, ProgramFacts)> know;
        std::function<void()> collect;  // children that were left to judge later
    };
    explicit Preparing(Hands hands) : hands_(std::move(hands)) {}

    void prepare(const core::Prepare& action);
    void abandon(LaunchSpecId spec);

    // What the reaper shall do with an ended child that is no worker's; nothing where it is not ours either.
    std::optional<os::Verdict> judge(pid_t pid, const ExitStatus& status);

  private:
    struct Task {
        core::Prepare action;
        std::uint64_t number = 0;
        Spec spec;
        ListenerUses reopened;  // kept
    };
    using Looked = std::variant<os::LaunchSpec, std::string>;  // made anew; or what is wrong, empty: nothing

    void make_fresh();
    void look_again();
    void look(std::function<Looked()> work);
    void looked(Looked found);
    void check();
    void finish(PreRestart::Verdict verdict);
    void forget_over();
    std::string blame(const std::string& why) const;
    std::vector<std::string> check_environment() const;

    Hands hands_;
    std::optional<Task> task_;
    std::uint64_t last_number_ = 0;
    std::optional<Errand<Looked>> looking_;
    std::list<PreRestart> checks_;  // the last one is the task's, if it has one; the others were given up
};

}  // namespace holdfast::runtime
