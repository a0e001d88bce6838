#include "runtime/descriptor_closer.hpp"

#include <iterator>
#include <system_error>
#include <thread>
#include <utility>

namespace holdfast::runtime {

DescriptorCloser::~DescriptorCloser() {
    if (!shared_) return;
    {
        std::lock_guard lock(shared_->mutex);
        shared_->open = Shared::Open::no;
    }
    shared_->changed.notify_one();
}

void DescriptorCloser::close(std::vector<os::UniqueFd> descriptors) {
    if (descriptors.empty()) return;
    if (!shared_) shared_ = std::make_shared<Shared>();
    {
        std::lock_guard lock(shared_->mutex);
        std::move(descriptors.begin(), descriptors.end(), std::back_inserter(shared_->waiting));
    }
    if (started_ == Started::no) start();
    shared_->changed.notify_one();
}

void DescriptorCloser::start() {
    try {
        std::thread([shared = shared_] { run(shared); }).detach();
        started_ = Started::yes;
    } catch (const std::system_error&) {
        // No thread to be had now: they wait for the next call.
    }
}

void DescriptorCloser::run(const std::shared_ptr<Shared>& shared) {
    std::unique_lock lock(shared->mutex);
    while (shared->open == Shared::Open::yes) {
        shared->changed.wait(lock, [&] { return !shared->waiting.empty() || shared->open == Shared::Open::no; });
        auto closing = std::exchange(shared->waiting, {});
        lock.unlock();
        closing.clear();
        lock.lock();
    }
}

}  // namespace holdfast::runtime
