#pragma once

#include <condition_variable>
#include <memory>
#include <mutex>
#include <vector>

#include "os/unique_fd.hpp"

namespace holdfast::runtime {

// Closes descriptors that strangers sent us and whose close() can hang (a file on a dead mount), on a thread of its own
// that is started with the first. One that hangs takes the thread with it, never the loop.
class DescriptorCloser {
  public:
    DescriptorCloser() = default;
    ~DescriptorCloser();
    DescriptorCloser(const DescriptorCloser&) = delete;
    DescriptorCloser& operator=(const DescriptorCloser&) = delete;

    void close(std::vector<os::UniqueFd> descriptors);

  private:
    struct Shared {
        std::mutex mutex;
        std::condition_variable changed;
        std::vector<os::UniqueFd> waiting;
        enum class Open { yes, no } open = Open::yes;
    };
    static void run(const std::shared_ptr<Shared>& shared);

    void start();

    std::shared_ptr<Shared> shared_;
    enum class Started { yes, no } started_ = Started::no;
};

}  // namespace holdfast::runtime
