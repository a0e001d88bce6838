#pragma once

#include <memory>
#include <mutex>
#include <utility>

namespace holdfast::detail {

/// Protects the owner of stage callbacks against calls after its destruction: a stage may still be delivered on another
/// thread while the program, whose wait() has returned, destroys its objects.
template <class Owner>
class CallbackGuard {
  public:
    /// Callbacks reach `owner` until disconnect().
    explicit CallbackGuard(Owner& owner) : link_(std::make_shared<Link>()) { link_->owner = &owner; }
    ~CallbackGuard() { disconnect(); }
    CallbackGuard(const CallbackGuard&) = delete;
    CallbackGuard& operator=(const CallbackGuard&) = delete;

    /// Returns a callback that calls `function` with the owner, if it is still connected.
    template <class Function>
    auto bind(Function function) const {
        return [link = link_, function = std::move(function)] {
            const std::lock_guard lock(link->mutex);
            if (link->owner != nullptr) function(*link->owner);
        };
    }

    /// Disconnects the owner. Waits for a call in progress.
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
