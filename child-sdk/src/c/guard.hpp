#pragma once

#include <cerrno>
#include <chrono>
#include <cstdint>
#include <stdexcept>
#include <string>
#include <string_view>
#include <type_traits>

// Keeps exceptions inside the library: every function of holdfast.h runs in guarded().

namespace holdfast::c {

// Sets the calling thread's error message, truncated if necessary. Does not allocate, so it works without memory.
void set_last_error(std::string_view text) noexcept;
const char* last_error() noexcept;

// An error with its own errno.
class Refused : public std::runtime_error {
  public:
    Refused(int error, const std::string& text) : std::runtime_error(text), error_(error) {}
    int error() const { return error_; }

  private:
    int error_;
};

// Converts the exception being handled to a negative errno and stores its message. `misuse` is the errno of a
// std::logic_error.
int error_of_exception(int misuse) noexcept;

// The errno of misuse; functions with another one pass their own. Called only if an exception was thrown.
struct UsualMisuse {
    int operator()() const noexcept { return EPERM; }
};

template <class Function, class Misuse = UsualMisuse>
int guarded(Function function, Misuse misuse = {}) noexcept {
    try {
        if constexpr (std::is_void_v<std::invoke_result_t<Function>>) {
            function();
            return 0;
        } else {
            return function();
        }
    } catch (...) {
        return error_of_exception(misuse());
    }
}

[[noreturn]] void refuse(std::string_view what, std::string_view cause);

// "cannot begin a request: worker is NULL; ..."
template <class Thing>
Thing& not_null(Thing* thing, std::string_view what, std::string_view name) {
    if (thing == nullptr) refuse(what, std::string(name) + " is NULL; pass a valid pointer");
    return *thing;
}

// A duration that later arithmetic cannot overflow.
std::chrono::milliseconds duration(std::int64_t milliseconds, std::string_view what);

// Microseconds of CLOCK_MONOTONIC.
std::int64_t usec_of(std::chrono::steady_clock::time_point time);

}  // namespace holdfast::c
