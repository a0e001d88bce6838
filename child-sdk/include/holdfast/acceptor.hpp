#pragma once

#include <functional>
#include <holdfast/listener.hpp>
#include <holdfast/worker.hpp>
#include <memory>

namespace holdfast {

/// One connection of a listener that others share, for a loop that was told by poll(2) that there is one. Sets
/// O_NONBLOCK first if somebody cleared it. The descriptor is non-blocking and close-on-exec; -1 with errno EAGAIN when
/// the queue is empty (or a sibling was quicker), or with what accept4(2) says.
///
/// Between the look at the flag and accept(2) a sibling of another kind could still clear it: who must not block even
/// then uses Acceptor, which accepts on a thread of its own.
int accept_one(int listener_fd);

/// Whether accept_one() failed for a reason that comes back at once (no descriptor left): wait a little then.
bool accept_failed_for_long(int error);

/// Accepts on a thread of its own from a listener that other processes share, and stops in time.
///
/// It takes part in the stages by itself: at pause and drain it accepts until the queue is empty and then rests; at run
/// it accepts again. A connection is counted (as the session "connection") from before accept(2) on, so it is never in
/// nobody's hands.
///
/// Why a thread: the listener's O_NONBLOCK belongs to everybody who shares it. Set just before accept(2), it can be
/// cleared in between, and the sibling that cleared it can take the connection that poll(2) promised; accept(2) then
/// blocks until the next client. This thread has nothing else to do, and is interrupted by a signal (SIGURG, which is
/// ignored by default; its handler is installed here) when it is to rest.
class Acceptor {
  public:
    /// Called on the accepting thread for each connection. The descriptor is non-blocking and close-on-exec, and is
    /// owned by the callee; the session ends with the connection. An exception that leaves it ends the process.
    using Accepted = std::function<void(int fd, Session connection)>;

    /// Takes the listener over and accepts at once. Before Worker::ready(); has to live until Worker::wait() returned.
    /// `worker` has to outlive it. Throws std::system_error.
    Acceptor(Worker& worker, Listener listener, Accepted accepted);

    /// Rests and closes the listener (which lives on in the supervisor).
    ~Acceptor();

    Acceptor(const Acceptor&) = delete;
    Acceptor& operator=(const Acceptor&) = delete;

  private:
    class Impl;
    std::unique_ptr<Impl> impl_;
};

}  // namespace holdfast
