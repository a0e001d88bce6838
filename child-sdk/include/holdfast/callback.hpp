#pragma once

#include <chrono>
#include <concepts>
#include <functional>
#include <type_traits>
#include <utility>

namespace holdfast {

/// A stage callback of the program. It takes no argument or the time until the stage's deadline (never negative; the
/// largest duration if there is no deadline). An exception that it throws is written to stderr and stops nothing.
class Callback {
  public:
    using Remaining = std::chrono::microseconds;  ///< time until the deadline

    /// Wraps a function that takes the time until the deadline.
    template <class Function>
    requires(!std::same_as<std::remove_cvref_t<Function>, Callback> &&
             std::invocable<std::remove_cvref_t<Function>&, Remaining>) Callback(Function&& function)
        : function_(std::forward<Function>(function)) {}

    /// Wraps a function that takes no argument.
    template <class Function>
    requires(!std::same_as<std::remove_cvref_t<Function>, Callback> && std::invocable<std::remove_cvref_t<Function>&> &&
             !std::invocable<std::remove_cvref_t<Function>&, Remaining>) Callback(Function&& function)
        : function_([plain = std::forward<Function>(function)](Remaining) mutable { plain(); }) {}

    /// Calls the function. Exceptions propagate.
    void operator()(Remaining remaining) const { function_(remaining); }

  private:
    std::function<void(Remaining)> function_;
};

}  // namespace holdfast
