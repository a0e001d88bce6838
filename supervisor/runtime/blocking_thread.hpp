#pragma once

#include <cstddef>
#include <limits>
#include <memory>
#include <mutex>
#include <thread>

#include "base/ids.hpp"
#include "base/time.hpp"
#include "runtime/stuck_thread_limit.hpp"

namespace holdfast::runtime {

// Work for a BlockingThread. Only run() may block.
class BlockingJob {
  public:
    enum class MoreQueued { no, yes };

    BlockingJob() = default;
    virtual ~BlockingJob() = default;
    BlockingJob(const BlockingJob&) = delete;
    BlockingJob& operator=(const BlockingJob&) = delete;

    // Does the work, on the thread. May block indefinitely. Must not throw. `more` says whether another job was queued
    // behind this one when it was started.
    virtual void run(MoreQueued more) = 0;

    // Delivers the result, on the thread, after run(). Not called once the job is abandoned. The queue is locked
    // meanwhile: the function must not call the BlockingThread.
    virtual void deliver() {}

    // Called after run(), on the thread, instead of deliver() if the job was abandoned meanwhile.
    virtual void discard() {}

    // Called instead of run(), by post() or abandon(), if the queue is full or no thread can be started. The queue is
    // locked meanwhile.
    virtual void refuse() {}

    // Called on the thread that abandons the job, while run() runs: makes run() return early if that is possible. The
    // queue is locked meanwhile.
    virtual void interrupt() {}
};

using JobId = Id<struct JobTag>;

// Runs jobs that may block indefinitely (a write to a reader that has stopped, a file on a dead NFS mount), one after
// the other, on one thread. Abandoning a job that blocks detaches the thread; the jobs behind it continue on a new one.
// A detached thread keeps what it uses alive until it comes back.
//
// All functions but the destructor are thread-safe.
class BlockingThread {
  public:
    enum class Signals { inherited, blocked };
    struct Options {
        Duration idle_timeout{};  // how long the destructor waits for the queued jobs
        Signals signals = Signals::inherited;
        StuckThreadLimit limit;
    };
    static constexpr std::size_t unlimited = std::numeric_limits<std::size_t>::max();
    struct Place {
        JobId id;                            // for abandon()
        std::size_t size = 0;                // of the job, for example in bytes
        std::size_t max_queued = unlimited;  // the sizes of all queued jobs, this one included
    };

    // Starts no thread.
    explicit BlockingThread(Options options);
    // Waits up to `idle_timeout` for the thread to become idle, then joins it. A thread that is not idle by then is
    // detached: its running job is abandoned, and its queued jobs are destroyed without having run, on that thread.
    ~BlockingThread();
    BlockingThread(const BlockingThread&) = delete;
    BlockingThread& operator=(const BlockingThread&) = delete;

    // Starts the thread now; does nothing if it exists. Throws std::system_error if the system refuses a thread or the
    // limit of stuck threads is reached. Without this call, the first job starts the thread.
    void start();

    // Queues the job, or refuses it: see BlockingJob::refuse().
    void post(std::unique_ptr<BlockingJob> job);
    void post(std::unique_ptr<BlockingJob> job, Place place);

    // Abandons the job with this id. A queued job is destroyed here; a running one leaves with its thread. False if
    // there is no such job, or it has been delivered.
    bool abandon(JobId id);

    // Waits until every job has run and is destroyed, at most `timeout`. False if that takes longer.
    bool wait_until_idle(Duration timeout);

  private:
    struct QueuedJob;
    struct Runner;
    struct Shared;
    static void run(std::shared_ptr<Shared> shared, std::shared_ptr<Runner> self);

    // These need the lock.
    void start_if_needed();
    bool try_start();
    void detach();

    std::shared_ptr<Shared> shared_;
    std::thread thread_;
};

}  // namespace holdfast::runtime
