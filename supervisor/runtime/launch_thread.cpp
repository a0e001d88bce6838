#include "runtime/launch_thread.hpp"

#include <algorithm>
#include <cerrno>
#include <condition_variable>
#include <deque>
#include <mutex>
#include <optional>
#include <system_error>
#include <thread>
#include <utility>

namespace holdfast::runtime {

// What one thread and the loop share. A thread that is stuck keeps it alive after it was left.
struct LaunchThread::Lane {
    LaunchOptions options;
    std::vector<std::string> base_environment;
    Deliver deliver;

    std::mutex mutex;
    std::condition_variable changed;
    std::deque<LaunchJob> jobs;
    std::optional<WorkerId> running;
    enum class Open { yes, no } open = Open::yes;
    std::thread thread;
    os::Launcher launcher;

    // The thread's own: the spec that it resolved last, for the other workers of the same generation.
    LaunchSpecId resolved_id;
    HeldSpec resolved;

    LaunchResult carry_out(const LaunchJob& job);
};

LaunchThread::LaunchThread(LaunchOptions options, std::vector<std::string> base_environment, Deliver deliver)
    : options_(std::move(options)), base_environment_(std::move(base_environment)), deliver_(std::move(deliver)) {}

LaunchThread::~LaunchThread() { leave_lane(); }

void LaunchThread::launch(LaunchJob job) {
    ++in_flight_;
    if (!lane_ && open_lane() == Opened::no) {
        deliver_({job.worker, job.spec_id, job.spec, os::LaunchFailure{"start a thread for the launch", EAGAIN}});
        return;
    }
    {
        std::lock_guard lock(lane_->mutex);
        lane_->jobs.push_back(std::move(job));
    }
    lane_->changed.notify_one();
}

void LaunchThread::abandon(WorkerId worker) {
    if (!lane_) return;
    std::deque<LaunchJob> others;
    {
        std::lock_guard lock(lane_->mutex);
        const auto waiting = std::ranges::find(lane_->jobs, worker, &LaunchJob::worker);
        if (waiting != lane_->jobs.end()) {
            lane_->jobs.erase(waiting);
            --in_flight_;
            return;
        }
        if (lane_->running != worker) return;
        lane_->open = Lane::Open::no;  // at once: from here on it delivers nothing, and is not counted any more
        others = std::exchange(lane_->jobs, {});
    }
    --in_flight_;
    leave_lane();
    in_flight_ -= others.size();
    for (auto& job : others) launch(std::move(job));
}

LaunchThread::Opened LaunchThread::open_lane() {
    std::erase_if(left_, [](const std::weak_ptr<Lane>& lane) { return lane.expired(); });
    if (left_.size() >= most_left) return Opened::no;
    auto lane = std::make_shared<Lane>();
    lane->options = options_;
    lane->base_environment = base_environment_;
    lane->deliver = deliver_;
    try {
        lane->thread = std::thread(&LaunchThread::run, lane);
    } catch (const std::system_error&) {
        return Opened::no;
    }
    lane_ = std::move(lane);
    return Opened::yes;
}

void LaunchThread::leave_lane() {
    if (!lane_) return;
    bool stuck = false;
    {
        std::lock_guard lock(lane_->mutex);
        lane_->open = Lane::Open::no;
        stuck = lane_->running.has_value();
    }
    lane_->changed.notify_one();
    if (stuck) {
        lane_->launcher.give_up();
        left_.push_back(lane_);
        lane_->thread.detach();
    } else {
        lane_->thread.join();
    }
    lane_.reset();
}

void LaunchThread::run(std::shared_ptr<Lane> lane) {
    std::unique_lock lock(lane->mutex);
    while (true) {
        lane->changed.wait(lock, [&] { return !lane->jobs.empty() || lane->open == Lane::Open::no; });
        if (lane->open == Lane::Open::no) return;
        auto job = std::make_optional(std::move(lane->jobs.front()));
        lane->jobs.pop_front();
        lane->running = job->worker;
        lock.unlock();
        LaunchResult result = lane->carry_out(*job);
        job.reset();
        lock.lock();
        lane->running.reset();
        if (lane->open == Lane::Open::yes) {
            lane->deliver(std::move(result));
        } else if (auto* leader = std::get_if<os::Leader>(&result.outcome)) {
            // Nobody waits for it: it has done nothing that could be lost. The reaper finds it as a stranger.
            static_cast<void>(os::kill_now(leader->process()));
        }
    }
}

LaunchResult LaunchThread::Lane::carry_out(const LaunchJob& job) {
    HeldSpec spec = job.spec;
    if (!spec && resolved && resolved_id == job.spec_id) spec = resolved;
    if (!spec) {
        auto found = os::resolve(job.configuration ? job.configuration->launch : options, base_environment);
        if (auto* failure = std::get_if<os::LaunchFailure>(&found)) {
            return {job.worker, job.spec_id, nullptr, std::move(*failure)};
        }
        spec = std::make_shared<const os::LaunchSpec>(std::move(std::get<os::LaunchSpec>(found)));
        resolved_id = job.spec_id;
        resolved = spec;
    }
    auto launched = launcher.launch(*spec, job.plan);
    if (auto* failure = std::get_if<os::LaunchFailure>(&launched)) {
        return {job.worker, job.spec_id, std::move(spec), std::move(*failure)};
    }
    return {job.worker, job.spec_id, std::move(spec), std::move(std::get<os::Leader>(launched))};
}

}  // namespace holdfast::runtime
