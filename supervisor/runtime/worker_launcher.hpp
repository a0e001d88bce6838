#pragma once

#include <boost/asio/io_context.hpp>
#include <memory>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "core/action.hpp"
#include "core/configuration.hpp"
#include "os/worker_records.hpp"
#include "runtime/event_queue.hpp"
#include "runtime/launch_specs.hpp"
#include "runtime/launch_thread.hpp"
#include "runtime/listeners.hpp"
#include "runtime/log.hpp"
#include "runtime/reload_plans.hpp"
#include "runtime/worker.hpp"

namespace holdfast::runtime {

// Executes Spawn: creates the descriptors and the environment of a worker, launches it, and reports Spawned or
// SpawnFailed.
class WorkerLauncher {
  public:
    struct Settings {
        std::string service;                         // HOLDFAST_NAME
        std::string notify_directory;                // empty: abstract notify sockets
        const os::WorkerRecords* records = nullptr;  // null: no runtime directory
    };

    WorkerLauncher(boost::asio::io_context& io, WorkerTable& workers, EventQueue& event_queue, Log& log,
                   Listeners& listeners, LaunchThread& launches, LaunchSpecs& specs, ReloadPlans& plans,
                   Settings settings);

    void spawn(const core::Spawn& action);
    void forget(WorkerId id);
    // Closes listeners that only other specs use.
    void serve_with(LaunchSpecId id);
    // Refuses or accepts new clients of listeners that this spec does not use.
    void set_removed_listener_admission(LaunchSpecId id, core::Admission admission);
    // Closes listeners that only this spec used.
    void forget_spec(LaunchSpecId id);

    // Handles a finished launch. Returns the worker if it was started and the core still wants it.
    Worker* on_launch_result(LaunchResult result);

  private:
    std::variant<LaunchJob, os::LaunchFailure> prepare(Worker& worker);
    GenerationSpec& spec_of(const Worker& worker);
    std::optional<os::LaunchFailure> pass_listeners(const GenerationSpec& spec, Worker& worker, LaunchJob& job);
    std::optional<os::LaunchFailure> open_probe(const GenerationSpec& spec, Worker& worker, LaunchJob& job);
    std::optional<os::LaunchFailure> open_channels(const GenerationSpec& spec, Worker& worker, LaunchJob& job);
    std::optional<os::LaunchFailure> open_output(Worker& worker, LaunchJob& job);
    int adopt_fd(Descriptor& descriptor, os::UniqueFd fd);
    std::vector<std::string> environment(const Worker& worker, int control_fd) const;
    void record(const Worker& worker);

    boost::asio::io_context& io_;
    WorkerTable& workers_;
    EventQueue& event_queue_;
    Log& log_;
    Listeners& listeners_;
    LaunchThread& launches_;
    Settings settings_;
    LaunchSpecs& specs_;
    ReloadPlans& plans_;
};

}  // namespace holdfast::runtime
