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

// Of a spec that holds its program.
ProgramFacts facts_of(const GenerationSpec& spec);

// Carries out Prepare, one at a time: binds listeners, makes or looks again at a launch spec on a thread of its own
// (file systems can hang), and runs --pre-restart for a spec that is new.
class LaunchPreparation {
  public:
    struct Dependencies {
        boost::asio::io_context& io;
        EventQueue& event_queue;
        Output& output;
        Listeners& listeners;
        LaunchSpecs& specs;
        ReloadPlans& plans;
        std::string service;                   // HOLDFAST_NAME
        std::vector<std::string> environment;  // the supervisor's own
        std::function<void(Generation, ProgramFacts)> set_program_facts;
        std::function<void()> collect;  // children that were left to classify later
    };
    explicit LaunchPreparation(Dependencies dependencies) : dependencies_(std::move(dependencies)) {}

    void prepare(const core::Prepare& action);
    void abandon(LaunchSpecId spec);

    // What the reaper shall do with an ended child that is no worker's; nothing where it is not ours either.
    std::optional<os::ReapDecision> classify(pid_t pid, const ExitStatus& status);

  private:
    struct Task {
        core::Prepare action;
        std::uint64_t number = 0;
        GenerationSpec spec;
        ListenerUses reopened;  // kept
    };
    using SpecResult = std::variant<os::LaunchSpec, std::string>;  // made anew; or what is wrong, empty: nothing

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
    std::list<PreRestart> checks_;  // the last one is the task's, if it has one; the others were given up
};

}  // namespace holdfast::runtime
