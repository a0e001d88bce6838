#pragma once

#include <vector>

#include "os/unique_fd.hpp"
#include "runtime/blocking_thread.hpp"
#include "runtime/stuck_thread_limit.hpp"

namespace holdfast::runtime {

// Closes file descriptors whose close() may block (a file on a dead NFS mount), for example those that a worker sent
// unasked, on a thread that is started with the first of them. A close() that blocks stops that thread, never the loop.
// Use from the loop's thread.
class DescriptorCloser {
  public:
    // While the limit of stuck threads is reached, descriptors stay open.
    explicit DescriptorCloser(StuckThreadLimit limit = {});
    // Does not wait for a close() that blocks. What has not been closed stays open.
    ~DescriptorCloser();
    DescriptorCloser(const DescriptorCloser&) = delete;
    DescriptorCloser& operator=(const DescriptorCloser&) = delete;

    // Takes the descriptors without closing any on this thread. If no thread can be started, the next call tries again.
    void close(std::vector<os::UniqueFd> descriptors);

  private:
    std::vector<os::UniqueFd> waiting_;  // for a thread
    BlockingThread thread_;
};

}  // namespace holdfast::runtime
