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
#include "runtime/blocking_task.hpp"
#include "runtime/event_queue.hpp"
#include "runtime/history_line.hpp"
#include "runtime/launch_specs.hpp"
#include "runtime/listeners.hpp"
#include "runtime/output.hpp"
#include "runtime/pre_restart.hpp"
#include "runtime/reload_plans.hpp"

namespace holdfast::runtime {

// The facts about a spec whose program is resolved.
ProgramFacts facts_of(const GenerationSpec& spec);

// Executes Prepare actions, one at a time: binds listeners, resolves a launch spec or checks a kept one on a separate
// thread (because file systems can hang), and runs --pre-restart for a new spec.
class LaunchPreparation {
  public:
    struct Dependencies {
        boost::asio::io_context& io;
        EventQueue& event_queue;
        Output& output;
        Listeners& listeners;
        LaunchSpecs& specs;
        ReloadPlans& plans;
        std::string service;                       // HOLDFAST_NAME
        std::vector<std::string> environment;      // of the supervisor
        std::optional<ResourceLimit> descriptors;  // the limit of open files that workers get
        std::function<void(Generation, ProgramFacts)> set_program_facts;
        std::function<void()> collect;  // classifies deferred children again
    };
    explicit LaunchPreparation(Dependencies dependencies) : dependencies_(std::move(dependencies)) {}

    void prepare(const core::Prepare& action);
    void abandon(LaunchSpecId spec);

    // What the reaper has to do with an ended child that is not a worker; nullopt if the child is unknown here.
    std::optional<os::ReapDecision> classify(pid_t pid, const ExitStatus& status);

  private:
    struct Task {
        core::Prepare action;
        std::uint64_t number = 0;
        GenerationSpec spec;
        ListenerUses reopened;  // listeners of a kept spec that were bound again
    };
    using SpecResult = std::variant<os::LaunchSpec, std::string>;  // a new spec; or the problem, empty if there is none

    void resolve_new_spec();
    void recheck_kept_spec();
    void start_spec_task(std::function<SpecResult()> work);
    void on_spec_result(SpecResult found);
    void check();
    void finish(PreRestart::Verdict verdict);
    void remove_finished_checks();
    std::string rollback_failure(const std::string& why) const;
    std::vector<std::string> check_environment() const;

    Dependencies dependencies_;
    std::optional<Task> task_;
    std::uint64_t last_number_ = 0;
    std::optional<BlockingTask<SpecResult>> spec_task_;
    // the last one belongs to the current task, if it has one; the others were cancelled
    std::list<PreRestart> checks_;
};

}  // namespace holdfast::runtime
