#include "background_load.hpp"

#include <sys/eventfd.h>
#include <unistd.h>

#include <cerrno>
#include <stdexcept>
#include <string>
#include <system_error>
#include <utility>

namespace holdfast::test {

using namespace std::chrono_literals;

BackgroundLoad::BackgroundLoad(LoadOptions options) : stop_fd_(::eventfd(0, EFD_CLOEXEC)) {
    if (stop_fd_ < 0) throw std::system_error(errno, std::generic_category(), "cannot create an eventfd");
    thread_ = std::thread([this, options = std::move(options)] { report_ = run_load(options, stop_fd_, progress_); });
}

BackgroundLoad::~BackgroundLoad() {
    stop();
    ::close(stop_fd_);
}

void BackgroundLoad::wait_for_more(std::uint64_t count) {
    if (!progress_.wait_for_successes(succeeded() + count, 30s))
        throw std::runtime_error("the load did not get " + std::to_string(count) + " further answers within 30 s");
}

void BackgroundLoad::wait_for_sent(std::uint64_t count) {
    if (!progress_.wait_for_sent(count, 30s))
        throw std::runtime_error("the load did not send " + std::to_string(count) + " requests within 30 s");
}

LoadReport BackgroundLoad::stop() {
    ::eventfd_write(stop_fd_, 1);
    return wait_for_end();
}

LoadReport BackgroundLoad::wait_for_end() {
    if (thread_.joinable()) thread_.join();
    return report_;
}

}  // namespace holdfast::test
