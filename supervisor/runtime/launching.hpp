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
#include "runtime/launch_thread.hpp"
#include "runtime/listeners.hpp"
#include "runtime/log.hpp"
#include "runtime/plans.hpp"
#include "runtime/pump.hpp"
#include "runtime/specs.hpp"
#include "runtime/worker.hpp"

namespace holdfast::runtime {

// Carries out Spawn: makes the worker's descriptors and environment, has it launched, tells Spawned or SpawnFailed.
class Launching {
  public:
    struct Surroundings {
        std::string service;                         // HOLDFAST_NAME
        std::string notify_directory;                // empty: abstract notify sockets
        const os::WorkerRecords* records = nullptr;  // null: there is no runtime directory
    };

    Launching(boost::asio::io_context& io, WorkerTable& workers, Pump& pump, Log& log, Listeners& listeners,
              LaunchThread& launches, Specs& specs, Plans& plans, Surroundings surroundings);

    void spawn(const core::Spawn& action);
    void forget(WorkerId id);
    // Listeners that only other specs have are closed.
    void serve_with(LaunchSpecId id);
    // New clients of those are refused, or let in again.
    void set_other_doors(LaunchSpecId id, core::Doors doors);
    // Listeners that only this one had are closed.
    void forget_spec(LaunchSpecId id);

    // A launch was answered. Returns the worker that lives now, if core still wants it.
    Worker* answered(LaunchResult result);

  private:
    std::variant<LaunchJob, os::LaunchFailure> prepare(Worker& worker);
    Spec& spec_of(const Worker& worker);
    std::optional<os::LaunchFailure> hand_listeners(const Spec& spec, Worker& worker, LaunchJob& job);
    std::optional<os::LaunchFailure> open_probe(const Spec& spec, Worker& worker, LaunchJob& job);
    std::optional<os::LaunchFailure> open_channels(const Spec& spec, Worker& worker, LaunchJob& job);
    std::optional<os::LaunchFailure> open_output(Worker& worker, LaunchJob& job);
    int keep(Descriptor& descriptor, os::UniqueFd fd);
    std::vector<std::string> environment(const Worker& worker, int control_fd) const;
    void record(const Worker& worker);

    boost::asio::io_context& io_;
    WorkerTable& workers_;
    Pump& pump_;
    Log& log_;
    Listeners& listeners_;
    LaunchThread& launches_;
    Surroundings surroundings_;
    Specs& specs_;
    Plans& plans_;
};

}  // namespace holdfast::runtime
