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
#include "runtime/launch_specs.hpp"

namespace holdfast::runtime {

struct LaunchJob {
    WorkerId worker;
    LaunchSpecId spec_id;
    SharedLaunchSpec spec;              // empty: resolved first, once for all jobs with this spec_id
    SharedConfiguration configuration;  // what it is resolved from; empty: the options that the thread was made with
    os::LaunchPlan plan;
    std::vector<os::UniqueFd> worker_side;  // what the plan borrows and nobody else needs: closed after the launch
};

struct LaunchResult {
    WorkerId worker;
    LaunchSpecId spec_id;
    SharedLaunchSpec spec;  // empty where it could not be resolved
    std::variant<os::Leader, os::LaunchFailure> outcome;
};

// Launches on a thread of its own, one worker after the other: between clone and exec the calling thread stands still,
// on a dead mount for ever. A launch that is given up takes its thread with it, and what hangs in it is killed; the
// jobs behind it get a new one, unless too many threads that were left are still stuck. All functions: loop thread.
class LaunchThread {
  public:
    // Called on the launching thread (or, where none can be had, by launch()); never after the destructor has returned.
    using Deliver = std::function<void(LaunchResult)>;

    LaunchThread(LaunchOptions options, std::vector<std::string> base_environment, Deliver deliver);
    ~LaunchThread();
    LaunchThread(const LaunchThread&) = delete;
    LaunchThread& operator=(const LaunchThread&) = delete;

    // Answered by one Deliver, unless it is abandoned first.
    void launch(LaunchJob job);

    // So many stuck threads, then nothing more is launched before one of them comes back.
    static constexpr std::size_t max_stuck_threads = 16;

    // No answer is wanted any more. What comes to life all the same is killed before it is known.
    void abandon(WorkerId worker);

    // Launches whose answer is still to come: as long as there is one, a dead child that nobody knows may be its.
    std::size_t in_flight() const { return in_flight_; }
    // To be called with each delivered result, on the loop's thread.
    void delivered() { --in_flight_; }

  private:
    struct LaunchQueue;
    static void run(std::shared_ptr<LaunchQueue> queue);
    enum class Opened { yes, no };
    Opened start_thread();
    void stop_thread();

    LaunchOptions options_;
    std::vector<std::string> base_environment_;
    Deliver deliver_;
    std::size_t in_flight_ = 0;
    std::shared_ptr<LaunchQueue> queue_;
    std::vector<std::weak_ptr<LaunchQueue>> stuck_threads_;  // expired: its thread has ended
};

}  // namespace holdfast::runtime
