#pragma once

#include <atomic>
#include <cstddef>
#include <limits>
#include <memory>

namespace holdfast::runtime {

// Limits the number of stuck threads: threads that were detached while they ran a blocking job, and that have not come
// back since. Copies share the count: one limit given to several BlockingThreads bounds them together. Thread-safe.
class StuckThreadLimit {
  public:
    // Counts without a limit.
    StuckThreadLimit() : StuckThreadLimit(std::numeric_limits<std::size_t>::max()) {}
    explicit StuckThreadLimit(std::size_t max) : max_(max), count_(std::make_shared<std::atomic<std::size_t>>(0)) {}

    std::size_t count() const { return *count_; }
    // As long as it is true, no further thread is started.
    bool is_reached() const { return count() >= max_; }

    void thread_detached() { ++*count_; }
    void thread_ended() { --*count_; }

  private:
    std::size_t max_;
    std::shared_ptr<std::atomic<std::size_t>> count_;
};

}  // namespace holdfast::runtime
