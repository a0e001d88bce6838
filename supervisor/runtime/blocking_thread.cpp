#include "runtime/blocking_thread.hpp"

#include <pthread.h>

#include <algorithm>
#include <condition_variable>
#include <csignal>
#include <deque>
#include <system_error>
#include <utility>

namespace holdfast::runtime {

namespace {

void block_all_signals() {
    sigset_t all;
    sigfillset(&all);
    ::pthread_sigmask(SIG_SETMASK, &all, nullptr);
}

}  // namespace

struct BlockingThread::QueuedJob {
    JobId id;
    std::size_t size;
    std::unique_ptr<BlockingJob> job;
};

// State of one thread.
struct BlockingThread::Runner {
    enum class State { waiting, running, finishing } state = State::waiting;  // finishing: the job has been delivered
    BlockingJob* job = nullptr;                                               // the one that is running
    JobId id;                                                                 // of `job`
    enum class Attached { yes, no } attached = Attached::yes;
};

// State of a BlockingThread. Each of its threads, the detached ones too, shares in its ownership.
struct BlockingThread::Shared {
    explicit Shared(Options chosen) : options(std::move(chosen)) {}

    bool is_running() const { return current && current->state == Runner::State::running; }
    bool is_idle() const { return queue.empty() && (!current || current->state == Runner::State::waiting); }
    QueuedJob take();
    void run_next(std::unique_lock<std::mutex>& lock, Runner& self);

    Options options;
    std::mutex mutex;
    std::condition_variable work;  // a job was queued, or the queue was closed
    std::condition_variable idle;
    std::deque<QueuedJob> queue;
    std::size_t queued_size = 0;
    std::shared_ptr<Runner> current;  // of the thread that is not detached; null: there is none
    enum class Open { yes, no } open = Open::yes;
};

BlockingThread::BlockingThread(Options options) : shared_(std::make_shared<Shared>(std::move(options))) {}

BlockingThread::~BlockingThread() {
    wait_until_idle(shared_->options.idle_timeout);
    {
        const std::lock_guard lock(shared_->mutex);
        shared_->open = Shared::Open::no;
        if (shared_->is_running() || !shared_->queue.empty()) detach();
    }
    shared_->work.notify_one();
    if (thread_.joinable()) thread_.join();
}

void BlockingThread::start() {
    const std::lock_guard lock(shared_->mutex);
    start_if_needed();
}

void BlockingThread::post(std::unique_ptr<BlockingJob> job) { post(std::move(job), Place{}); }

void BlockingThread::post(std::unique_ptr<BlockingJob> job, Place place) {
    {
        const std::lock_guard lock(shared_->mutex);
        if (shared_->queued_size + place.size > place.max_queued || !try_start()) {
            job->refuse();
            return;
        }
        shared_->queued_size += place.size;
        shared_->queue.push_back({place.id, place.size, std::move(job)});
    }
    shared_->work.notify_one();
}

bool BlockingThread::abandon(JobId id) {
    std::deque<QueuedJob> removed;  // destroyed after the lock is released
    const std::lock_guard lock(shared_->mutex);
    auto& queue = shared_->queue;
    if (const auto queued = std::ranges::find(queue, id, &QueuedJob::id); queued != queue.end()) {
        shared_->queued_size -= queued->size;
        removed.push_back(std::move(*queued));
        queue.erase(queued);
        if (shared_->is_idle()) shared_->idle.notify_all();
        return true;
    }
    if (!shared_->is_running() || shared_->current->id != id) return false;
    detach();
    if (!queue.empty() && !try_start()) {
        removed = std::exchange(queue, {});
        shared_->queued_size = 0;
        for (const QueuedJob& refused : removed) refused.job->refuse();
    }
    if (shared_->is_idle()) shared_->idle.notify_all();
    return true;
}

bool BlockingThread::wait_until_idle(Duration timeout) {
    std::unique_lock lock(shared_->mutex);
    return shared_->idle.wait_for(lock, timeout, [&] { return shared_->is_idle(); });
}

void BlockingThread::start_if_needed() {
    if (shared_->current) return;
    if (shared_->options.limit.is_reached()) {
        throw std::system_error(std::make_error_code(std::errc::resource_unavailable_try_again));
    }
    auto runner = std::make_shared<Runner>();
    thread_ = std::thread(&BlockingThread::run, shared_, runner);
    shared_->current = std::move(runner);
}

bool BlockingThread::try_start() {
    try {
        start_if_needed();
        return true;
    } catch (const std::system_error&) {
        return false;
    }
}

void BlockingThread::detach() {
    Runner& runner = *shared_->current;
    runner.attached = Runner::Attached::no;
    if (runner.state == Runner::State::running) runner.job->interrupt();
    shared_->options.limit.thread_detached();
    thread_.detach();
    shared_->current.reset();
}

void BlockingThread::run(std::shared_ptr<Shared> shared, std::shared_ptr<Runner> self) {
    if (shared->options.signals == Signals::blocked) block_all_signals();
    std::unique_lock lock(shared->mutex);
    const auto is_over = [&] { return shared->open == Shared::Open::no || self->attached == Runner::Attached::no; };
    while (true) {
        shared->work.wait(lock, [&] { return is_over() || !shared->queue.empty(); });
        if (is_over()) break;
        shared->run_next(lock, *self);
    }
    std::deque<QueuedJob> abandoned;
    if (shared->open == Shared::Open::no) abandoned = std::exchange(shared->queue, {});
    const bool is_detached = self->attached == Runner::Attached::no;
    lock.unlock();
    abandoned.clear();
    if (is_detached) shared->options.limit.thread_ended();
}

BlockingThread::QueuedJob BlockingThread::Shared::take() {
    QueuedJob taken = std::move(queue.front());
    queue.pop_front();
    queued_size -= taken.size;
    return taken;
}

void BlockingThread::Shared::run_next(std::unique_lock<std::mutex>& lock, Runner& self) {
    QueuedJob taken = take();
    const auto more = queue.empty() ? BlockingJob::MoreQueued::no : BlockingJob::MoreQueued::yes;
    self.state = Runner::State::running;
    self.job = taken.job.get();
    self.id = taken.id;
    lock.unlock();
    taken.job->run(more);
    lock.lock();
    self.state = Runner::State::finishing;
    const bool is_abandoned = self.attached == Runner::Attached::no;
    if (!is_abandoned) taken.job->deliver();
    lock.unlock();
    if (is_abandoned) taken.job->discard();
    taken.job.reset();
    lock.lock();
    self.state = Runner::State::waiting;
    if (is_idle()) idle.notify_all();
}

}  // namespace holdfast::runtime
