#pragma once

#include <cstdint>

// Calls of the program's functions: their errors become exceptions, and the thread remembers that it is in one, so that
// functions that would wait for it can be refused.

namespace holdfast::c {

// What a callback is to the functions that wait.
enum class CallbackKind : std::uint8_t {
    joined,    // a stage, a close, a task: holdfast_free() waits for it, so the worker stays valid for it
    plain,     // a hand-back, a session that is asked to leave: may run on any thread
    accepting  // a connection: holdfast_free_acceptor() waits for it
};

class CallbackScope {
  public:
    explicit CallbackScope(CallbackKind kind) noexcept;
    ~CallbackScope();
    CallbackScope(const CallbackScope&) = delete;
    CallbackScope& operator=(const CallbackScope&) = delete;

    static bool is_in_any() noexcept;
    static bool is_in(CallbackKind kind) noexcept;

  private:
    const CallbackKind kind_;
};

// Throws if a callback returned an error.
void check_callback(int returned);

template <CallbackKind kind, class Function, class... Arguments>
void call(Function function, Arguments... arguments) {
    const CallbackScope scope(kind);
    check_callback(function(arguments...));
}

}  // namespace holdfast::c
