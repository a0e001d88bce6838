#pragma once

#include <condition_variable>
#include <deque>
#include <fstream>
#include <mutex>
#include <stop_token>
#include <string>

// An access log with one line per request. A background task writes it, so that no request waits for the disk. When
// asked to stop, the task first writes all queued lines.
class AccessLog {
  public:
    explicit AccessLog(const std::string& path) : file_(path, std::ios::app) {}

    void add(std::string line) {
        {
            const std::lock_guard lock(mutex_);
            lines_.push_back(std::move(line));
        }
        changed_.notify_one();
    }

    void write_until(const std::stop_token& stop) {
        std::unique_lock lock(mutex_);
        while (changed_.wait(lock, stop, [this] { return !lines_.empty(); })) {
            const std::string line = std::move(lines_.front());
            lines_.pop_front();
            lock.unlock();
            file_ << line << '\n';
            lock.lock();
        }
    }

    void close() { file_.close(); }

  private:
    std::mutex mutex_;
    std::condition_variable_any changed_;
    std::deque<std::string> lines_;
    std::ofstream file_;
};
