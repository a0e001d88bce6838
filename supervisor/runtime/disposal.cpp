#include "runtime/disposal.hpp"

#include <iterator>
#include <thread>
#include <utility>

namespace holdfast::runtime {

Disposal::~Disposal() {
    if (!shared_) return;
    {
        std::lock_guard lock(shared_->mutex);
        shared_->open = Shared::Open::no;
    }
    shared_->changed.notify_one();
}

void Disposal::close(std::vector<os::UniqueFd> descriptors) {
    if (descriptors.empty()) return;
    if (!shared_) {
        shared_ = std::make_shared<Shared>();
        std::thread([shared = shared_] { run(shared); }).detach();
    }
    {
        std::lock_guard lock(shared_->mutex);
        std::move(descriptors.begin(), descriptors.end(), std::back_inserter(shared_->waiting));
    }
    shared_->changed.notify_one();
}

void Disposal::run(const std::shared_ptr<Shared>& shared) {
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
