#pragma once

#include <chrono>
#include <concepts>
#include <functional>
#include <type_traits>
#include <utility>

namespace holdfast {

/// A function of the program for a stage: takes nothing, or the time that is left until the stage's deadline (never
/// negative; the largest duration where there is no deadline). It may throw: that is reported on stderr and stops
/// nothing.
class Callback {
  public:
    using Remaining = std::chrono::microseconds;  ///< until the deadline

    /// Of a function that takes the time that is left.
    template <class Function>
    requires(!std::same_as<std::remove_cvref_t<Function>, Callback> &&
             std::invocable<std::remove_cvref_t<Function>&, Remaining>) Callback(Function&& function)
        : function_(std::forward<Function>(function)) {}

    /// Of a function that takes nothing.
    template <class Function>
    requires(!std::same_as<std::remove_cvref_t<Function>, Callback> && std::invocable<std::remove_cvref_t<Function>&> &&
             !std::invocable<std::remove_cvref_t<Function>&, Remaining>) Callback(Function&& function)
        : function_([plain = std::forward<Function>(function)](Remaining) mutable { plain(); }) {}

    /// Calls it. Throws what it throws.
    void operator()(Remaining remaining) const { function_(remaining); }

  private:
    std::function<void(Remaining)> function_;
};

}  // namespace holdfast
