#include "acceptor.hpp"

#include <fcntl.h>
#include <signal.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <chrono>
#include <utility>

namespace {

constexpr int interrupt_signal = SIGURG;  // ignored by default: it surprises nobody else
constexpr std::chrono::milliseconds interrupt_interval{5};
constexpr int pause_ms = 50;           // after an error that would come back at once
constexpr int most_in_a_queue = 4096;  // net.core.somaxconn: under load the shared queue may never be seen empty

void interrupt(int) {}

}  // namespace

Acceptor::Acceptor(holdfast::Worker& worker, const holdfast::Listener& listener, Accepted accepted)
    : worker_(worker),
      listener_fd_(listener.fd()),
      accepted_(std::move(accepted)),
      wake_fd_(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)) {
    struct sigaction action {};
    action.sa_handler = interrupt;  // without SA_RESTART: accept(2) shall fail with EINTR
    ::sigaction(interrupt_signal, &action, nullptr);
    thread_ = std::jthread([this](const std::stop_token& quit) { run(quit); });
}

Acceptor::~Acceptor() {
    stop();
    thread_.request_stop();
    thread_.join();
    ::close(wake_fd_);
}

void Acceptor::start() {
    const std::lock_guard lock(mutex_);
    wanted_ = true;
    resting_ = false;
    changed_.notify_all();
}

void Acceptor::stop() {
    std::unique_lock lock(mutex_);
    wanted_ = false;
    ::eventfd_write(wake_fd_, 1);
    while (!resting_) {
        ::pthread_kill(thread_.native_handle(), interrupt_signal);
        changed_.wait_for(lock, interrupt_interval, [this] { return resting_; });
    }
}

void Acceptor::run(const std::stop_token& quit) {
    std::unique_lock lock(mutex_);
    while (changed_.wait(lock, quit, [this] { return wanted_ || !resting_; })) {
        lock.unlock();
        accept_until_stopped();
        empty_queue();
        lock.lock();
        resting_ = !wanted_;
        changed_.notify_all();
    }
}

void Acceptor::accept_until_stopped() {
    for (;;) {
        {
            const std::lock_guard lock(mutex_);
            if (!wanted_) return;
        }
        if (is_waiting(-1) && !accept_one()) rest_a_little();
    }
}

// Nobody may be left in the queue unanswered, should this be the last worker that accepts.
void Acceptor::empty_queue() {
    for (int i = 0; i < most_in_a_queue && is_waiting(0); ++i) accept_one();
}

bool Acceptor::is_waiting(int timeout_ms) {
    std::array<pollfd, 2> events{pollfd{listener_fd_, POLLIN, 0}, pollfd{timeout_ms < 0 ? wake_fd_ : -1, POLLIN, 0}};
    if (::poll(events.data(), events.size(), timeout_ms) <= 0) return false;
    if (events[1].revents != 0) {
        eventfd_t ignored = 0;
        ::eventfd_read(wake_fd_, &ignored);
    }
    return events[0].revents != 0;
}

// False: accepting fails for a reason that lasts (no descriptor left, the listener was shut down).
bool Acceptor::accept_one() {
    // Held from before the accept on: a connection is never in nobody's hands.
    holdfast::Session session = worker_.begin_session("connection");
    const int flags = ::fcntl(listener_fd_, F_GETFL);
    if ((flags & O_NONBLOCK) == 0) ::fcntl(listener_fd_, F_SETFL, flags | O_NONBLOCK);
    const int fd = ::accept4(listener_fd_, nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC);
    if (fd >= 0) accepted_(fd, std::move(session));
    return fd >= 0 || errno == EAGAIN || errno == EINTR || errno == ECONNABORTED;
}

void Acceptor::rest_a_little() const {
    pollfd wake{.fd = wake_fd_, .events = POLLIN, .revents = 0};
    ::poll(&wake, 1, pause_ms);
}
