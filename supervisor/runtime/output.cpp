#include "runtime/output.hpp"

#include <utility>

#include "os/write.hpp"

namespace holdfast::runtime {

namespace {
constexpr std::size_t max_written_bytes = 16 * 1024;  // at once: a burst of lines costs few wake-ups
}  // namespace

Output::Output(int fd) : shared_(std::make_shared<Shared>()), thread_(&Output::run, shared_, fd) {}

Output::~Output() {
    flush(flush_timeout);
    bool idle = false;
    {
        std::lock_guard lock(shared_->mutex);
        shared_->running = Shared::Running::no;
        idle = shared_->writing == Shared::Writing::no;
    }
    shared_->changed.notify_all();
    // A thread that sits in write(2) behind a stopped reader would hold the process up for ever.
    if (idle) {
        thread_.join();
    } else {
        thread_.detach();
    }
}

void Output::write(std::string lines, Source source) {
    const std::size_t limit = source == Source::supervisor ? max_queued_bytes : max_queued_for_workers;
    {
        std::lock_guard lock(shared_->mutex);
        if (shared_->queued_bytes + lines.size() > limit) {
            shared_->dropped_bytes += lines.size();
            return;
        }
        shared_->queued_bytes += lines.size();
        shared_->queue.push_back(std::move(lines));
    }
    shared_->changed.notify_all();
}

void Output::flush(Duration timeout) {
    std::unique_lock lock(shared_->mutex);
    shared_->changed.wait_for(lock, timeout,
                              [&] { return shared_->queue.empty() && shared_->writing == Shared::Writing::no; });
}

std::string Output::Shared::take() {
    std::string lines = std::move(queue.front());
    queue.pop_front();
    while (!queue.empty() && lines.size() + queue.front().size() <= max_written_bytes) {
        lines += queue.front();
        queue.pop_front();
    }
    queued_bytes -= lines.size();
    return lines;
}

void Output::run(std::shared_ptr<Shared> shared, int fd) {
    std::unique_lock lock(shared->mutex);
    while (true) {
        shared->changed.wait(lock, [&] { return !shared->queue.empty() || shared->running == Shared::Running::no; });
        if (shared->queue.empty() || shared->running == Shared::Running::no) return;
        std::string lines = shared->take();
        if (const auto dropped = std::exchange(shared->dropped_bytes, 0); dropped != 0) {
            lines +=
                "holdfast: " + std::to_string(dropped) + " bytes of output were dropped: the reader was too slow\n";
        }
        shared->writing = Shared::Writing::yes;
        lock.unlock();
        os::write_all(fd, lines);
        lock.lock();
        shared->writing = Shared::Writing::no;
        shared->changed.notify_all();
    }
}

}  // namespace holdfast::runtime
