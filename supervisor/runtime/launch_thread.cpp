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
struct LaunchThread::LaunchQueue {
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
    SharedLaunchSpec resolved;

    LaunchResult carry_out(const LaunchJob& job);
};

LaunchThread::LaunchThread(LaunchOptions options, std::vector<std::string> base_environment, Deliver deliver)
    : options_(std::move(options)), base_environment_(std::move(base_environment)), deliver_(std::move(deliver)) {}

LaunchThread::~LaunchThread() { stop_thread(); }

void LaunchThread::launch(LaunchJob job) {
    ++in_flight_;
    if (!queue_ && start_thread() == Opened::no) {
        deliver_({job.worker, job.spec_id, job.spec, os::LaunchFailure{"start a thread for the launch", EAGAIN}});
        return;
    }
    {
        std::lock_guard lock(queue_->mutex);
        queue_->jobs.push_back(std::move(job));
    }
    queue_->changed.notify_one();
}

void LaunchThread::abandon(WorkerId worker) {
    if (!queue_) return;
    std::deque<LaunchJob> others;
    {
        std::lock_guard lock(queue_->mutex);
        const auto waiting = std::ranges::find(queue_->jobs, worker, &LaunchJob::worker);
        if (waiting != queue_->jobs.end()) {
            queue_->jobs.erase(waiting);
            --in_flight_;
            return;
        }
        if (queue_->running != worker) return;
        queue_->open = LaunchQueue::Open::no;  // at once: from here on it delivers nothing, and is not counted any more
        others = std::exchange(queue_->jobs, {});
    }
    --in_flight_;
    stop_thread();
    in_flight_ -= others.size();
    for (auto& job : others) launch(std::move(job));
}

LaunchThread::Opened LaunchThread::start_thread() {
    std::erase_if(stuck_threads_, [](const std::weak_ptr<LaunchQueue>& queue) { return queue.expired(); });
    if (stuck_threads_.size() >= max_stuck_threads) return Opened::no;
    auto queue = std::make_shared<LaunchQueue>();
    queue->options = options_;
    queue->base_environment = base_environment_;
    queue->deliver = deliver_;
    try {
        queue->thread = std::thread(&LaunchThread::run, queue);
    } catch (const std::system_error&) {
        return Opened::no;
    }
    queue_ = std::move(queue);
    return Opened::yes;
}

void LaunchThread::stop_thread() {
    if (!queue_) return;
    bool stuck = false;
    {
        std::lock_guard lock(queue_->mutex);
        queue_->open = LaunchQueue::Open::no;
        stuck = queue_->running.has_value();
    }
    queue_->changed.notify_one();
    if (stuck) {
        queue_->launcher.give_up();
        stuck_threads_.push_back(queue_);
        queue_->thread.detach();
    } else {
        queue_->thread.join();
    }
    queue_.reset();
}

void LaunchThread::run(std::shared_ptr<LaunchQueue> queue) {
    std::unique_lock lock(queue->mutex);
    while (true) {
        queue->changed.wait(lock, [&] { return !queue->jobs.empty() || queue->open == LaunchQueue::Open::no; });
        if (queue->open == LaunchQueue::Open::no) return;
        auto job = std::make_optional(std::move(queue->jobs.front()));
        queue->jobs.pop_front();
        queue->running = job->worker;
        lock.unlock();
        LaunchResult result = queue->carry_out(*job);
        job.reset();
        lock.lock();
        queue->running.reset();
        if (queue->open == LaunchQueue::Open::yes) {
            queue->deliver(std::move(result));
        } else if (auto* leader = std::get_if<os::Leader>(&result.outcome)) {
            // Nobody waits for it: it has done nothing that could be lost. The reaper finds it as a stranger.
            static_cast<void>(os::kill_now(leader->process()));
        }
    }
}

LaunchResult LaunchThread::LaunchQueue::carry_out(const LaunchJob& job) {
    SharedLaunchSpec spec = job.spec;
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
