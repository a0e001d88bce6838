#pragma once

#include <boost/asio/io_context.hpp>
#include <map>
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
#include "runtime/pump.hpp"
#include "runtime/worker.hpp"

namespace holdfast::runtime {

// Carries out Spawn: makes the worker's descriptors and environment, has it launched, tells Spawned or SpawnFailed.
class Launching {
  public:
    struct Surroundings {
        std::string service;                         // HOLDFAST_NAME
        std::string notify_directory;                // empty: abstract notify sockets
        const os::WorkerRecords* records = nullptr;  // null: there is no runtime directory
        WorkerOutput output = WorkerOutput::tee;
    };

    Launching(boost::asio::io_context& io, WorkerTable& workers, Pump& pump, Log& log, Listeners& listeners,
              LaunchThread& launches, Surroundings surroundings);

    void spawn(const core::Spawn& action);
    void forget(WorkerId id);
    void forget_spec(LaunchSpecId id) { specs_.erase(id); }

    // A launch was answered. Returns the worker that lives now, if core still wants it.
    Worker* answered(LaunchResult result);

  private:
    std::variant<LaunchJob, os::LaunchFailure> prepare(Worker& worker);
    std::optional<os::LaunchFailure> open_channels(Worker& worker, LaunchJob& job);
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
    std::map<LaunchSpecId, HeldSpec> specs_;
};

}  // namespace holdfast::runtime
