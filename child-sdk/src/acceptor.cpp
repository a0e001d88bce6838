#include <fcntl.h>
#include <poll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>

#include <array>
#include <cerrno>
#include <chrono>
#include <condition_variable>
#include <holdfast/acceptor.hpp>
#include <mutex>
#include <system_error>
#include <thread>
#include <tuple>
#include <utility>

#include "interrupt_signal.hpp"
#include "process.hpp"
#include "unique_fd.hpp"

namespace holdfast {

namespace {

constexpr std::chrono::milliseconds interrupt_interval{5};
constexpr int error_backoff_ms = 50;    // after an error that an immediate retry would meet again
constexpr int max_queue_length = 4096;  // net.core.somaxconn; under load the shared queue may never be empty

[[noreturn]] void refuse(int error, const std::string& name, const char* cause) {
    throw std::system_error(error, std::generic_category(),
                            "cannot accept from the listener \"" + name + "\": " + cause);
}

}  // namespace

// The accepting thread. Shared with the stage callbacks, which may still be called while a program that failed destroys
// its objects.
class AcceptThread {
  public:
    AcceptThread(Worker& worker, Listener listener, Acceptor::Accepted accepted);
    AcceptThread(const AcceptThread&) = delete;
    AcceptThread& operator=(const AcceptThread&) = delete;

    void start();
    void resume();

    // Empties the queue and stops accepting; returns when both are done.
    void pause() { set_mode(Mode::pause); }

    // Stops accepting and joins the thread. Does not empty the queue.
    void quit();

  private:
    enum class Mode { accept, pause, quit };

    void run();
    void set_mode(Mode mode);
    Mode mode();
    void accept_until_paused();
    void empty_queue();
    bool accept_from_queue();
    bool is_waiting(int timeout_ms);
    void wait_before_retry() const;

    Worker& worker_;
    const Listener listener_;
    const Acceptor::Accepted accepted_;
    const UniqueFd wake_;
    const InterruptSignal interrupt_;

    std::mutex mutex_;
    std::condition_variable changed_;
    Mode mode_ = Mode::accept;
    bool is_paused_ = false;  // since the last call of set_mode() or resume()
    std::thread thread_;
};

AcceptThread::AcceptThread(Worker& worker, Listener listener, Acceptor::Accepted accepted)
    : worker_(worker),
      listener_(std::move(listener)),
      accepted_(std::move(accepted)),
      wake_(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)) {
    if (listener_.fd() < 0) refuse(EBADF, listener_.name(), "its descriptor was given away; take it once");
    if (wake_.get() < 0) refuse(errno, listener_.name(), "no descriptor is left; raise the limit (ulimit -n)");
}

void AcceptThread::start() {
    thread_ = std::thread([this] { run(); });
}

void AcceptThread::resume() {
    const std::lock_guard lock(mutex_);
    if (mode_ == Mode::quit) return;
    mode_ = Mode::accept;
    is_paused_ = false;
    changed_.notify_all();
}

// A signal that arrives just before accept(2) has no effect, so it is repeated until the thread is paused.
void AcceptThread::set_mode(Mode mode) {
    std::unique_lock lock(mutex_);
    if (mode_ != Mode::quit) mode_ = mode;
    changed_.notify_all();
    ::eventfd_write(wake_.get(), 1);
    while (!is_paused_) {
        interrupt_.send(thread_.native_handle());
        changed_.wait_for(lock, interrupt_interval, [this] { return is_paused_; });
    }
}

void AcceptThread::quit() {
    set_mode(Mode::quit);
    thread_.join();
}

void AcceptThread::run() {
    InterruptSignal::begin_accepting(listener_.fd());
    for (;;) {
        accept_until_paused();
        const Mode seen = mode();
        if (seen == Mode::pause) empty_queue();
        std::unique_lock lock(mutex_);
        if (mode_ != seen) continue;
        is_paused_ = true;
        changed_.notify_all();
        if (mode_ == Mode::quit) return;
        changed_.wait(lock, [this] { return mode_ == Mode::quit || !is_paused_; });
    }
}

AcceptThread::Mode AcceptThread::mode() {
    const std::lock_guard lock(mutex_);
    return mode_;
}

void AcceptThread::accept_until_paused() {
    while (mode() == Mode::accept) {
        if (is_waiting(-1) && !accept_from_queue()) wait_before_retry();
    }
}

// Accepts what is in the queue: if this is the last worker that accepts, those clients would never be answered.
void AcceptThread::empty_queue() {
    for (int i = 0; i < max_queue_length && is_waiting(0) && accept_from_queue(); ++i) continue;
}

bool AcceptThread::is_waiting(int timeout_ms) {
    std::array<pollfd, 2> events{pollfd{listener_.fd(), POLLIN, 0},
                                 pollfd{timeout_ms < 0 ? wake_.get() : -1, POLLIN, 0}};
    if (::poll(events.data(), events.size(), timeout_ms) <= 0) return false;
    if (events[1].revents != 0) {
        eventfd_t ignored = 0;
        ::eventfd_read(wake_.get(), &ignored);
    }
    return events[0].revents != 0;
}

// Returns false if accepting fails with a lasting error (EMFILE, or the listener was shut down).
bool AcceptThread::accept_from_queue() {
    // Begun before accept(2), so that a new connection is never missing from the count.
    Session session = worker_.begin_session("connection");
    const int fd = accept_one(listener_.fd());
    if (fd < 0) return !accept_failed_for_long(errno);
    accepted_(fd, std::move(session));
    return true;
}

void AcceptThread::wait_before_retry() const {
    pollfd wake{.fd = wake_.get(), .events = POLLIN, .revents = 0};
    ::poll(&wake, 1, error_backoff_ms);
}

int accept_one(int listener_fd) {
    const int flags = ::fcntl(listener_fd, F_GETFL);
    if (flags >= 0 && (flags & O_NONBLOCK) == 0) ::fcntl(listener_fd, F_SETFL, flags | O_NONBLOCK);
    return ::accept4(listener_fd, nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC);
}

// The listed errors concern a single connection, which has failed.
bool accept_failed_for_long(int error) {
    switch (error) {
        case EAGAIN:
        case EINTR:
        case ECONNABORTED:
        case EPROTO:
        case EPERM:
        case ENOPROTOOPT:
        case ENETDOWN:
        case ENETUNREACH:
        case EHOSTDOWN:
        case EHOSTUNREACH:
        case ENONET:
            return false;
        default:
            return true;
    }
}

class Acceptor::Impl {
  public:
    Impl(Worker& worker, Listener listener, Accepted accepted)
        : accept_thread_(std::make_shared<AcceptThread>(worker, std::move(listener), std::move(accepted))) {
        worker.on_pause([weak = std::weak_ptr(accept_thread_)] { pause(weak); });
        worker.on_drain([weak = std::weak_ptr(accept_thread_)] { pause(weak); });
        worker.on_run([weak = std::weak_ptr(accept_thread_)] {
            if (const auto accepting = weak.lock()) accepting->resume();
        });
        accept_thread_->start();  // last: nothing throws from here on
    }
    ~Impl() { accept_thread_->quit(); }
    Impl(const Impl&) = delete;
    Impl& operator=(const Impl&) = delete;

  private:
    static void pause(const std::weak_ptr<AcceptThread>& weak) {
        if (const auto accepting = weak.lock()) accepting->pause();
    }

    const std::shared_ptr<AcceptThread> accept_thread_;
};

Acceptor::Acceptor(Worker& worker, Listener listener, Accepted accepted)
    : impl_(std::make_unique<Impl>(worker, std::move(listener), std::move(accepted))) {}

// In a forked child the accepting thread does not exist: it cannot be joined, so nothing can be destroyed.
Acceptor::~Acceptor() {
    if (!is_worker_process()) std::ignore = impl_.release();
}

}  // namespace holdfast
