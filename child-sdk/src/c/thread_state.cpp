#include "thread_state.hpp"

#include <pthread.h>

#include <mutex>

namespace holdfast::c {

namespace {

constinit std::atomic<ThreadState*> states = nullptr;
constinit thread_local bool has_ended = false;

// The other threads do not exist in the child, and may have been changing their states.
void in_forked_child() {
    for (ThreadState* state = states.load(std::memory_order_relaxed); state != nullptr; state = state->next) {
        if (ThisThread::is_own(*state)) continue;
        state->uses = 0;
        state->free_count = 0;
        state->is_taken = false;
    }
}

// Takes a state that no thread uses, or makes one.
ThreadState* take() {
    static std::once_flag once;
    std::call_once(once, [] { ::pthread_atfork(nullptr, nullptr, in_forked_child); });
    for (ThreadState* state = states.load(std::memory_order_acquire); state != nullptr; state = state->next) {
        bool is_taken = false;
        if (state->is_taken.compare_exchange_strong(is_taken, true, std::memory_order_acquire)) return state;
    }
    auto* made = new ThreadState;  // never freed: others may be reading the list
    made->next = states.load(std::memory_order_relaxed);
    while (!states.compare_exchange_weak(made->next, made, std::memory_order_acq_rel, std::memory_order_relaxed)) {
    }
    return made;
}

}  // namespace

// Gives the state of the thread back when the thread ends.
class ThreadLease {
  public:
    ThreadLease() { ThisThread::own = take(); }
    ~ThreadLease() {
        ThisThread::detach(*ThisThread::own);
        ThisThread::own = nullptr;
        has_ended = true;
    }
    ThreadLease(const ThreadLease&) = delete;
    ThreadLease& operator=(const ThreadLease&) = delete;

    static ThreadState* state() { return ThisThread::own; }
};

const ThreadState* ThisThread::first() { return states.load(); }

void ThisThread::attach() {
    is_passing_ = has_ended;
    if (is_passing_) {
        state_ = take();
        return;
    }
    thread_local const ThreadLease lease;
    state_ = lease.state();
}

}  // namespace holdfast::c
