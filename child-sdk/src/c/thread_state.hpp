#pragma once

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>

// What each thread that calls the library keeps for itself, so that a request neither takes a lock nor shares a cache
// line with other threads.

namespace holdfast::c {

struct alignas(64) ThreadState {
    static constexpr std::size_t batch = 32;  // entries that threads exchange at a time

    std::atomic<int> uses = 0;  // calls of this thread that use a worker; written only by this thread
    std::size_t free_count = 0;
    std::array<std::uint32_t, 2 * batch> free_entries{};  // of the table of handles

    std::atomic<bool> is_taken = true;
    ThreadState* next = nullptr;  // in the list of all states, which only grows
};

// The state of the calling thread. A thread that ends leaves its state to the next one, so there are as many states as
// threads ran at one time. Takes no lock.
class ThisThread {
  public:
    ThisThread() : state_(own) {
        if (state_ == nullptr) attach();
    }
    ~ThisThread() {
        if (is_passing_) detach(*state_);
    }
    ThisThread(const ThisThread&) = delete;
    ThisThread& operator=(const ThisThread&) = delete;

    ThreadState& operator*() const { return *state_; }
    ThreadState* operator->() const { return state_; }

    static bool is_own(const ThreadState& state) { return &state == own; }

    // The states of all threads.
    static const ThreadState* first();

  private:
    friend class ThreadLease;
    void attach();
    static void detach(ThreadState& state) { state.is_taken.store(false, std::memory_order_release); }

    // Null before the first call of a thread, and after it gave its state back. Trivially destructible, so that it can
    // be used until the thread ends.
    static constinit inline thread_local ThreadState* own = nullptr;

    ThreadState* state_;
    bool is_passing_ = false;  // the thread is ending, and has given its own state back
};

}  // namespace holdfast::c
