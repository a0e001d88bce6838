#include "runtime/launch_thread.hpp"

#include <cerrno>
#include <mutex>
#include <optional>
#include <utility>

namespace holdfast::runtime {

// State that all jobs share. A stuck thread keeps it alive.
struct LaunchThread::Shared {
    Shared(LaunchOptions launch_options, std::vector<std::string> environment, Deliver receiver,
           std::optional<ResourceLimit> limit)
        : options(std::move(launch_options)),
          base_environment(std::move(environment)),
          descriptors(std::move(limit)),
          deliver(std::move(receiver)) {}

    std::variant<SharedLaunchSpec, os::LaunchFailure> find_or_resolve(const LaunchJob& job);
    void keep_resolved(LaunchSpecId id, SharedLaunchSpec spec);

    const LaunchOptions options;
    const std::vector<std::string> base_environment;
    const std::optional<ResourceLimit> descriptors;
    const Deliver deliver;

    std::mutex mutex;
    // The spec that was resolved last, for the other workers of the same generation.
    LaunchSpecId resolved_id;
    SharedLaunchSpec resolved;
};

class LaunchThread::Job final : public BlockingJob {
  public:
    Job(std::shared_ptr<Shared> shared, LaunchJob launch) : shared_(std::move(shared)), launch_(std::move(launch)) {}

    void run(MoreQueued) override {
        outcome_ = launch();
        launch_.worker_side.clear();
    }
    void deliver() override {
        if (spec_ && !launch_.spec) shared_->keep_resolved(launch_.spec_id, spec_);
        deliver(std::move(*outcome_));
    }
    // A process that was just launched has done nothing that could be lost. The reaper reaps it as an unknown child.
    void discard() override {
        const auto* leader = std::get_if<os::Leader>(&*outcome_);
        if (leader != nullptr) static_cast<void>(os::kill_now(leader->process()));
    }
    void refuse() override {
        spec_ = launch_.spec;
        deliver(os::LaunchFailure{"start a thread for the launch", EAGAIN});
    }
    void interrupt() override { launcher_.give_up(); }

  private:
    using Outcome = std::variant<os::Leader, os::LaunchFailure>;

    Outcome launch() {
        auto found = shared_->find_or_resolve(launch_);
        if (auto* failure = std::get_if<os::LaunchFailure>(&found)) return std::move(*failure);
        spec_ = std::move(std::get<SharedLaunchSpec>(found));
        return launcher_.launch(*spec_, launch_.plan);
    }
    void deliver(Outcome outcome) {
        shared_->deliver({launch_.worker, launch_.spec_id, std::move(spec_), std::move(outcome)});
    }

    std::shared_ptr<Shared> shared_;
    LaunchJob launch_;
    os::Launcher launcher_;
    SharedLaunchSpec spec_;  // the one that is launched
    std::optional<Outcome> outcome_;
};

LaunchThread::LaunchThread(LaunchOptions options, std::vector<std::string> base_environment, Deliver deliver,
                           std::optional<ResourceLimit> descriptors)
    : shared_(std::make_shared<Shared>(std::move(options), std::move(base_environment), std::move(deliver),
                                       std::move(descriptors))),
      thread_({.idle_timeout = {},
               .signals = BlockingThread::Signals::inherited,
               .limit = StuckThreadLimit(max_stuck_threads)}) {}

LaunchThread::~LaunchThread() = default;

void LaunchThread::launch(LaunchJob job) {
    ++in_flight_;
    const JobId id{job.worker.value};
    thread_.post(std::make_unique<Job>(shared_, std::move(job)), {.id = id});
}

void LaunchThread::abandon(WorkerId worker) {
    if (thread_.abandon(JobId{worker.value})) --in_flight_;
}

std::variant<SharedLaunchSpec, os::LaunchFailure> LaunchThread::Shared::find_or_resolve(const LaunchJob& job) {
    if (job.spec) return job.spec;
    {
        const std::lock_guard lock(mutex);
        if (resolved && resolved_id == job.spec_id) return resolved;
    }
    auto made = os::resolve(job.configuration ? job.configuration->launch : options, base_environment, descriptors);
    if (auto* failure = std::get_if<os::LaunchFailure>(&made)) return std::move(*failure);
    return std::make_shared<const os::LaunchSpec>(std::move(std::get<os::LaunchSpec>(made)));
}

void LaunchThread::Shared::keep_resolved(LaunchSpecId id, SharedLaunchSpec spec) {
    const std::lock_guard lock(mutex);
    resolved_id = id;
    resolved = std::move(spec);
}

}  // namespace holdfast::runtime
