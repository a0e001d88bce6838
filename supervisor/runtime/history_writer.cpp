#include "runtime/history_writer.hpp"

#include <pthread.h>

#include <csignal>
#include <utility>

namespace holdfast::runtime {

struct HistoryWriter::Shared {
    Shared(os::UniqueFd held, std::string name, std::uint64_t limit, StatusCallback how)
        : directory(std::move(held)), file(directory.get(), std::move(name), limit), on_status(std::move(how)) {}

    void write(std::unique_lock<std::mutex>& lock);
    void report(const Result<void>& written, std::uint64_t lost_before);

    os::UniqueFd directory;
    os::AppendFile file;  // the writing thread's
    std::mutex mutex;
    std::condition_variable changed;
    std::deque<std::string> queue;
    std::size_t queued_bytes = 0;
    std::uint64_t lost_lines = 0;  // since the last one that was written
    enum class Failing { no, yes } failing = Failing::no;
    enum class Running { yes, no } running = Running::yes;
    enum class Writing { yes, no } writing = Writing::no;
    StatusCallback on_status;  // empty at the end
};

HistoryWriter::HistoryWriter(os::UniqueFd directory, std::string name, std::uint64_t limit, StatusCallback on_status)
    : shared_(std::make_shared<Shared>(std::move(directory), std::move(name), limit, std::move(on_status))),
      thread_([shared = shared_] { run(shared); }) {}

HistoryWriter::~HistoryWriter() {
    flush(flush_timeout);
    bool idle = false;
    {
        const std::lock_guard lock(shared_->mutex);
        shared_->running = Shared::Running::no;
        shared_->on_status = nullptr;
        idle = shared_->writing == Shared::Writing::no;
    }
    shared_->changed.notify_all();
    if (idle) {
        thread_.join();
    } else {
        thread_.detach();
    }
}

void HistoryWriter::write(std::string line) {
    {
        const std::lock_guard lock(shared_->mutex);
        if (shared_->queued_bytes + line.size() > max_queued_bytes) {
            ++shared_->lost_lines;
            return;
        }
        shared_->queued_bytes += line.size();
        shared_->queue.push_back(std::move(line));
    }
    shared_->changed.notify_all();
}

void HistoryWriter::flush(Duration timeout) {
    std::unique_lock lock(shared_->mutex);
    shared_->changed.wait_for(lock, timeout,
                              [&] { return shared_->queue.empty() && shared_->writing == Shared::Writing::no; });
}

void HistoryWriter::run(const std::shared_ptr<Shared>& shared) {
    // A file that may not grow (RLIMIT_FSIZE) is an error here, not the end of the process by SIGXFSZ.
    sigset_t all;
    sigfillset(&all);
    ::pthread_sigmask(SIG_SETMASK, &all, nullptr);
    std::unique_lock lock(shared->mutex);
    while (true) {
        shared->changed.wait(lock, [&] { return !shared->queue.empty() || shared->running == Shared::Running::no; });
        if (shared->queue.empty() || shared->running == Shared::Running::no) return;
        shared->write(lock);
        shared->changed.notify_all();
    }
}

void HistoryWriter::Shared::write(std::unique_lock<std::mutex>& lock) {
    const std::string line = std::move(queue.front());
    queue.pop_front();
    queued_bytes -= line.size();
    writing = Writing::yes;
    lock.unlock();
    const auto written = file.append(line);
    lock.lock();
    report(written, lost_lines);
    writing = Writing::no;
}

void HistoryWriter::Shared::report(const Result<void>& written, std::uint64_t lost_before) {
    if (!written) {
        ++lost_lines;
        if (failing == Failing::no && on_status) {
            on_status(core::Level::warning,
                      written.error().text + "; lines are left out of the history until it works again");
        }
        failing = Failing::yes;
        return;
    }
    if (lost_before > 0 && on_status) {
        on_status(core::Level::info,
                  "the history is written again; " + std::to_string(lost_before) + " lines are missing in it");
    }
    lost_lines = 0;
    failing = Failing::no;
}

}  // namespace holdfast::runtime
