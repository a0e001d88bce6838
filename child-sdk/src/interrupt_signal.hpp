#pragma once

#include <pthread.h>
#include <signal.h>

namespace holdfast {

// Interrupts accept(2) in another thread by SIGURG, which is ignored by default. The program may use the signal as
// well: its handler is called for every SIGURG that is not sent by this class, with its flags and its mask, also if it
// was installed later. The last object restores the program's handler.
//
// The interrupted system call may be restarted (SA_RESTART), so the handler also makes the listener non-blocking.
class InterruptSignal {
  public:
    static constexpr int number = SIGURG;

    InterruptSignal();
    ~InterruptSignal();
    InterruptSignal(const InterruptSignal&) = delete;
    InterruptSignal& operator=(const InterruptSignal&) = delete;

    // Called by the thread that accepts from the listener, before it does. Unblocks the signal, which the program may
    // have blocked in the thread that created it.
    static void begin_accepting(int listener_fd);

    // Interrupts the thread. A signal that arrives just before accept(2) has no effect: repeat it. Checks first that
    // the program has not replaced the handler.
    void send(pthread_t thread) const;
};

}  // namespace holdfast
