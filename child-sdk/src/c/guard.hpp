#pragma once

#include <cerrno>
#include <chrono>
#include <cstdint>
#include <stdexcept>
#include <string>
#include <string_view>
#include <type_traits>

// What stands between exceptions and C: every function of holdfast.h runs in guarded(), every callback of the program
// by way of check_callback().

namespace holdfast::c {

// The calling thread's message, cut where it is too long. Never allocates, so that "no memory" can be told as well.
void set_last_error(std::string_view text) noexcept;
const char* last_error() noexcept;

// The exception that is being handled as a negative errno, its message kept. `misuse`: what a std::logic_error is.
int error_of_exception(int misuse) noexcept;

// For functions that know better than EPERM; asked only if something was thrown.
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
    if (thing == nullptr) refuse(what, std::string(name) + " is NULL; pass what the function that makes it gave");
    return *thing;
}

// A duration that no later arithmetic can overflow.
std::chrono::milliseconds duration(std::int64_t milliseconds, std::string_view what);

// Microseconds of CLOCK_MONOTONIC.
std::int64_t usec_of(std::chrono::steady_clock::time_point time);

// Forgets what an earlier function said on this thread: the callback that comes next may fail for another reason.
void begin_callback() noexcept;
// Throws what a callback returned.
void check_callback(int returned);

template <class Function, class... Arguments>
void call(Function function, Arguments... arguments) {
    begin_callback();
    check_callback(function(arguments...));
}

}  // namespace holdfast::c
