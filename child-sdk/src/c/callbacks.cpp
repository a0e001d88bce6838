#include "callbacks.hpp"

#include <array>
#include <cstddef>
#include <stdexcept>
#include <string>
#include <system_error>

#include "guard.hpp"

namespace holdfast::c {

namespace {

// How many callbacks of each kind this thread is in. Trivially destructible, so that it can be used until the thread
// ends.
constinit thread_local std::array<unsigned, 3> depths{};

unsigned& depth_of(CallbackKind kind) { return depths[static_cast<std::size_t>(kind)]; }

}  // namespace

// The message is cleared, so that an old one is not taken for the callback's.
CallbackScope::CallbackScope(CallbackKind kind) noexcept : kind_(kind) {
    ++depth_of(kind_);
    set_last_error("");
}

CallbackScope::~CallbackScope() { --depth_of(kind_); }

bool CallbackScope::is_in(CallbackKind kind) noexcept { return depth_of(kind) > 0; }

bool CallbackScope::is_in_any() noexcept {
    return is_in(CallbackKind::joined) || is_in(CallbackKind::plain) || is_in(CallbackKind::accepting);
}

void check_callback(int returned) {
    if (returned == 0) return;
    const int error = returned < 0 ? -returned : returned;
    const std::string said = last_error();
    throw std::runtime_error(said.empty() ? "it returned " + std::to_string(returned) + " (" +
                                                std::generic_category().message(error) + ")"
                                          : said);
}

}  // namespace holdfast::c
