#pragma once

#include <condition_variable>
#include <deque>
#include <functional>
#include <mutex>
#include <stop_token>
#include <thread>

namespace holdfast::testing {

// An event loop on a thread of the program, which runs posted functions.
class LoopThread {
  public:
    void post(std::function<void()> function) {
        const std::lock_guard lock(mutex_);
        functions_.push_back(std::move(function));
        changed_.notify_one();
    }
    std::thread::id id() const { return thread_.get_id(); }

  private:
    void run(const std::stop_token& stop) {
        std::unique_lock lock(mutex_);
        while (changed_.wait(lock, stop, [this] { return !functions_.empty(); })) {
            const auto function = std::move(functions_.front());
            functions_.pop_front();
            lock.unlock();
            function();
            lock.lock();
        }
    }

    std::mutex mutex_;
    std::condition_variable_any changed_;
    std::deque<std::function<void()>> functions_;
    std::jthread thread_{[this](const std::stop_token& stop) { run(stop); }};
};

}  // namespace holdfast::testing
