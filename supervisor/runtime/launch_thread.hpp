#pragma once

#include <cstddef>
#include <functional>
#include <memory>
#include <string>
#include <variant>
#include <vector>

#include "base/ids.hpp"
#include "base/launch_options.hpp"
#include "os/launch_spec.hpp"
#include "os/launcher.hpp"
#include "os/process.hpp"
#include "runtime/blocking_thread.hpp"
#include "runtime/launch_specs.hpp"

namespace holdfast::runtime {

struct LaunchJob {
    WorkerId worker;
    LaunchSpecId spec_id;
    SharedLaunchSpec spec;              // empty: resolved first, once for all jobs with this spec_id
    SharedConfiguration configuration;  // the source of the spec; empty: the options given to the LaunchThread
    os::LaunchPlan plan;
    std::vector<os::UniqueFd> worker_side;  // descriptors that only the plan borrows; closed after the launch
};

struct LaunchResult {
    WorkerId worker;
    LaunchSpecId spec_id;
    SharedLaunchSpec spec;  // empty if it could not be resolved
    std::variant<os::Leader, os::LaunchFailure> outcome;
};

// Launches workers on a thread, one after the other: the calling thread of clone(2) is suspended until exec, on a dead
// mount indefinitely. Abandoning a launch that is stuck kills its process and detaches its thread; the jobs behind it
// continue on a new thread, and fail if `max_stuck_threads` earlier ones are still stuck. Use from the loop's thread.
class LaunchThread {
  public:
    // Called on the launching thread, or by launch() and abandon() if no thread can be started. Never called after the
    // destructor has returned. Must not block, and must not call the LaunchThread.
    using Deliver = std::function<void(LaunchResult)>;

    LaunchThread(LaunchOptions options, std::vector<std::string> base_environment, Deliver deliver,
                 std::optional<ResourceLimit> descriptors = std::nullopt);
    // Abandons every launch that has not been delivered.
    ~LaunchThread();
    LaunchThread(const LaunchThread&) = delete;
    LaunchThread& operator=(const LaunchThread&) = delete;

    // Delivers one result, unless the launch is abandoned before.
    void launch(LaunchJob job);

    // At so many stuck threads no further thread is started until one of them comes back.
    static constexpr std::size_t max_stuck_threads = 16;

    // Cancels the launch of this worker: no result is delivered, and a process that starts nevertheless is killed.
    void abandon(WorkerId worker);

    // The number of launches without a result so far. While it is not 0, an ended child that is unknown may be theirs.
    std::size_t in_flight() const { return in_flight_; }
    // To be called on the loop's thread with each result that was delivered.
    void delivered() { --in_flight_; }

  private:
    struct Shared;
    class Job;

    std::size_t in_flight_ = 0;
    std::shared_ptr<Shared> shared_;
    BlockingThread thread_;
};

}  // namespace holdfast::runtime
