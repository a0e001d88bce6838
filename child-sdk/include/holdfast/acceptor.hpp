#pragma once

#include <functional>
#include <holdfast/listener.hpp>
#include <holdfast/worker.hpp>
#include <memory>

namespace holdfast {

/// Accepts one connection from a shared listener, for an event loop in which poll(2) has reported the listener
/// readable. Sets O_NONBLOCK on the listener first if another process has cleared it. Returns a descriptor that is
/// non-blocking and close-on-exec, or -1 with errno EAGAIN if the queue is empty (or another process took the
/// connection), or with the errno of accept4(2).
///
/// Another process can still clear the flag between that check and accept(2), and the call then blocks. A program that
/// must never block uses Acceptor, which accepts on its own thread.
int accept_one(int listener_fd);

/// Whether accept_one() failed with an error that an immediate retry would meet again (such as EMFILE): wait before the
/// retry.
bool accept_failed_for_long(int error);

/// Accepts connections from a shared listener on its own thread, and stops at the right stage.
///
/// It registers its own stage callbacks: at pause and drain it accepts until the queue is empty and then stops
/// accepting; at run it resumes. A connection is counted as a session named "connection" from before accept(2), so a
/// connection that was just accepted is never missing from the count.
///
/// Why a thread: O_NONBLOCK belongs to the socket, which all processes share. Another process can clear the flag after
/// it was set and before accept(2), and take the connection that poll(2) reported; accept(2) then blocks until the next
/// client arrives. This thread has no other work and may block. A signal interrupts it when it has to stop (SIGURG,
/// which is ignored by default). A handler that the program has for this signal, or installs later, is called for every
/// other SIGURG, with its flags; the last Acceptor restores it. The accepting thread does not block the signal.
class Acceptor {
  public:
    /// Called on the accepting thread for each connection. The callback owns the descriptor, which is non-blocking and
    /// close-on-exec, and the session; end the session when the connection ends. An exception that leaves the callback
    /// terminates the process.
    using Accepted = std::function<void(int fd, Session connection)>;

    /// Takes ownership of the listener and accepts at once. Create it before Worker::ready(); it must live until
    /// Worker::wait() has returned, and `worker` must outlive it. Throws std::system_error.
    Acceptor(Worker& worker, Listener listener, Accepted accepted);

    /// Stops accepting and closes the listener in this process. The supervisor's copy stays open.
    ~Acceptor();

    Acceptor(const Acceptor&) = delete;
    Acceptor& operator=(const Acceptor&) = delete;

  private:
    class Impl;
    std::unique_ptr<Impl> impl_;
};

}  // namespace holdfast
