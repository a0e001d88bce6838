#pragma once

#include <memory>
#include <mutex>
#include <utility>

namespace holdfast::detail {

/// Between a worker's callbacks and the object that they belong to: a stage may still be told on another thread while
/// the program, whose wait() has returned, takes everything apart.
template <class Owner>
class CallbackGuard {
  public:
    /// Until disconnect().
    explicit CallbackGuard(Owner& owner) : link_(std::make_shared<Link>()) { link_->owner = &owner; }
    ~CallbackGuard() { disconnect(); }
    CallbackGuard(const CallbackGuard&) = delete;
    CallbackGuard& operator=(const CallbackGuard&) = delete;

    /// Calls with the owner as long as there is one.
    template <class Function>
    auto bind(Function function) const {
        return [link = link_, function = std::move(function)] {
            const std::lock_guard lock(link->mutex);
            if (link->owner != nullptr) function(*link->owner);
        };
    }

    /// Waits for a call that is under way.
    void disconnect() {
        const std::lock_guard lock(link_->mutex);
        link_->owner = nullptr;
    }

  private:
    struct Link {
        std::mutex mutex;
        Owner* owner = nullptr;
    };
    std::shared_ptr<Link> link_;
};

}  // namespace holdfast::detail
