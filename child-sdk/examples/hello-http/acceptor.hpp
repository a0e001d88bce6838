#pragma once

#include <poll.h>

#include <condition_variable>
#include <functional>
#include <holdfast/worker.hpp>
#include <mutex>
#include <thread>

// Accepts from a listener that other processes share.
//
// The listener's O_NONBLOCK is theirs as much as ours: set just before accept(2), it can be cleared again in between,
// and the sibling that cleared it can take the connection that poll(2) promised. accept(2) then blocks until the next
// client, which would freeze an event loop, and a drain with it. So accepting has a thread of its own, which has
// nothing else to do, and stop() interrupts that thread by a signal, again and again until it rests: one signal could
// arrive just before accept(2) and be lost.
class Acceptor {
  public:
    // `accepted` is called on the accepting thread; it owns the descriptor (non-blocking, close-on-exec).
    using Accepted = std::function<void(int fd, holdfast::Session session)>;

    Acceptor(holdfast::Worker& worker, const holdfast::Listener& listener, Accepted accepted);
    ~Acceptor();
    Acceptor(const Acceptor&) = delete;
    Acceptor& operator=(const Acceptor&) = delete;

    void start();

    // Returns when the accept queue has been empty once and nothing is accepted any more.
    void stop();

  private:
    void run(const std::stop_token& quit);
    void accept_until_stopped();
    void empty_queue();
    bool accept_one();
    bool is_waiting(int timeout_ms);
    void rest_a_little() const;

    holdfast::Worker& worker_;
    const int listener_fd_;
    const Accepted accepted_;
    const int wake_fd_;

    std::mutex mutex_;
    std::condition_variable_any changed_;
    bool wanted_ = false;
    bool resting_ = true;
    std::jthread thread_;
};
