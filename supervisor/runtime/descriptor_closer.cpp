#include "runtime/descriptor_closer.hpp"

#include <iterator>
#include <memory>
#include <system_error>
#include <tuple>
#include <utility>

namespace holdfast::runtime {

namespace {

class CloseJob final : public BlockingJob {
  public:
    explicit CloseJob(std::vector<os::UniqueFd> descriptors) : descriptors_(std::move(descriptors)) {}
    void run(MoreQueued) override { descriptors_.clear(); }

  private:
    std::vector<os::UniqueFd> descriptors_;
};

}  // namespace

DescriptorCloser::DescriptorCloser(StuckThreadLimit limit) : thread_({.limit = std::move(limit)}) {}

DescriptorCloser::~DescriptorCloser() {
    for (os::UniqueFd& descriptor : waiting_) std::ignore = descriptor.release();
}

void DescriptorCloser::close(std::vector<os::UniqueFd> descriptors) {
    if (descriptors.empty()) return;
    std::move(descriptors.begin(), descriptors.end(), std::back_inserter(waiting_));
    try {
        thread_.start();
    } catch (const std::system_error&) {
        return;
    }
    thread_.post(std::make_unique<CloseJob>(std::exchange(waiting_, {})));
}

}  // namespace holdfast::runtime
