#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
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

#include "process.hpp"
#include "unique_fd.hpp"

namespace holdfast {

namespace {

constexpr int interrupt_signal = SIGURG;  // ignored by default: it surprises nobody else
constexpr std::chrono::milliseconds interrupt_interval{5};
constexpr int error_backoff_ms = 50;   // after an error that would come back at once
constexpr int most_in_a_queue = 4096;  // net.core.somaxconn: under load the shared queue may never be seen empty

void interrupt(int) {}

void install_interrupt() {
    struct sigaction action {};
    action.sa_handler = interrupt;  // without SA_RESTART: accept(2) shall fail with EINTR
    ::sigaction(interrupt_signal, &action, nullptr);
}

// The program may have blocked it in the thread that made the acceptor.
void let_interrupt_in() {
    sigset_t set;
    ::sigemptyset(&set);
    ::sigaddset(&set, interrupt_signal);
    ::pthread_sigmask(SIG_UNBLOCK, &set, nullptr);
}

[[noreturn]] void refuse(int error, const std::string& name, const char* cause) {
    throw std::system_error(error, std::generic_category(),
                            "cannot accept from the listener \"" + name + "\": " + cause);
}

}  // namespace

// Shared with the callbacks: a stage may come while a program that failed takes everything apart.
class Accepting {
  public:
    Accepting(Worker& worker, Listener listener, Acceptor::Accepted accepted);
    Accepting(const Accepting&) = delete;
    Accepting& operator=(const Accepting&) = delete;

    void start();
    void resume();

    // Returns when the queue has been empty once and nothing is accepted any more.
    void rest() { leave_off(Wish::rest); }

    // Leaves the queue to others.
    void quit();

  private:
    enum class Wish { accept, rest, quit };

    void run();
    void leave_off(Wish wish);
    Wish wish();
    void accept_while_wanted();
    void empty_queue();
    bool accept_from_queue();
    bool is_waiting(int timeout_ms);
    void rest_a_little() const;

    Worker& worker_;
    const Listener listener_;
    const Acceptor::Accepted accepted_;
    const UniqueFd wake_;

    std::mutex mutex_;
    std::condition_variable changed_;
    Wish wish_ = Wish::accept;
    bool rests_ = false;  // since the last wish for it
    std::thread thread_;
};

Accepting::Accepting(Worker& worker, Listener listener, Acceptor::Accepted accepted)
    : worker_(worker),
      listener_(std::move(listener)),
      accepted_(std::move(accepted)),
      wake_(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)) {
    if (listener_.fd() < 0) refuse(EBADF, listener_.name(), "its descriptor was given away; take it once");
    if (wake_.get() < 0) refuse(errno, listener_.name(), "no descriptor is left; raise the limit (ulimit -n)");
    install_interrupt();
}

void Accepting::start() {
    thread_ = std::thread([this] { run(); });
}

void Accepting::resume() {
    const std::lock_guard lock(mutex_);
    if (wish_ == Wish::quit) return;
    wish_ = Wish::accept;
    rests_ = false;
    changed_.notify_all();
}

// One signal could arrive just before accept(2) and be lost: again, until the thread rests.
void Accepting::leave_off(Wish wish) {
    std::unique_lock lock(mutex_);
    if (wish_ != Wish::quit) wish_ = wish;
    changed_.notify_all();
    ::eventfd_write(wake_.get(), 1);
    while (!rests_) {
        ::pthread_kill(thread_.native_handle(), interrupt_signal);
        changed_.wait_for(lock, interrupt_interval, [this] { return rests_; });
    }
}

void Accepting::quit() {
    leave_off(Wish::quit);
    thread_.join();
}

void Accepting::run() {
    let_interrupt_in();
    for (;;) {
        accept_while_wanted();
        const Wish seen = wish();
        if (seen == Wish::rest) empty_queue();
        std::unique_lock lock(mutex_);
        if (wish_ != seen) continue;
        rests_ = true;
        changed_.notify_all();
        if (wish_ == Wish::quit) return;
        changed_.wait(lock, [this] { return wish_ == Wish::quit || !rests_; });
    }
}

Accepting::Wish Accepting::wish() {
    const std::lock_guard lock(mutex_);
    return wish_;
}

void Accepting::accept_while_wanted() {
    while (wish() == Wish::accept) {
        if (is_waiting(-1) && !accept_from_queue()) rest_a_little();
    }
}

// Nobody may be left in the queue unanswered, should this be the last worker that accepts.
void Accepting::empty_queue() {
    for (int i = 0; i < most_in_a_queue && is_waiting(0) && accept_from_queue(); ++i) continue;
}

bool Accepting::is_waiting(int timeout_ms) {
    std::array<pollfd, 2> events{pollfd{listener_.fd(), POLLIN, 0},
                                 pollfd{timeout_ms < 0 ? wake_.get() : -1, POLLIN, 0}};
    if (::poll(events.data(), events.size(), timeout_ms) <= 0) return false;
    if (events[1].revents != 0) {
        eventfd_t ignored = 0;
        ::eventfd_read(wake_.get(), &ignored);
    }
    return events[0].revents != 0;
}

// False: accepting fails for a reason that lasts (no descriptor left, the listener was shut down).
bool Accepting::accept_from_queue() {
    // Held from before the accept on: a connection is never in nobody's hands.
    Session session = worker_.begin_session("connection");
    const int fd = accept_one(listener_.fd());
    if (fd < 0) return !accept_failed_for_long(errno);
    accepted_(fd, std::move(session));
    return true;
}

void Accepting::rest_a_little() const {
    pollfd wake{.fd = wake_.get(), .events = POLLIN, .revents = 0};
    ::poll(&wake, 1, error_backoff_ms);
}

int accept_one(int listener_fd) {
    const int flags = ::fcntl(listener_fd, F_GETFL);
    if (flags >= 0 && (flags & O_NONBLOCK) == 0) ::fcntl(listener_fd, F_SETFL, flags | O_NONBLOCK);
    return ::accept4(listener_fd, nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC);
}

// The others are about one connection, which is gone.
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
        : accepting_(std::make_shared<Accepting>(worker, std::move(listener), std::move(accepted))) {
        worker.on_pause([weak = std::weak_ptr(accepting_)] { rest(weak); });
        worker.on_drain([weak = std::weak_ptr(accepting_)] { rest(weak); });
        worker.on_run([weak = std::weak_ptr(accepting_)] {
            if (const auto accepting = weak.lock()) accepting->resume();
        });
        accepting_->start();  // at last: from here on nothing throws
    }
    ~Impl() { accepting_->quit(); }
    Impl(const Impl&) = delete;
    Impl& operator=(const Impl&) = delete;

  private:
    static void rest(const std::weak_ptr<Accepting>& weak) {
        if (const auto accepting = weak.lock()) accepting->rest();
    }

    const std::shared_ptr<Accepting> accepting_;
};

Acceptor::Acceptor(Worker& worker, Listener listener, Accepted accepted)
    : impl_(std::make_unique<Impl>(worker, std::move(listener), std::move(accepted))) {}

// In a forked child the accepting thread does not exist: nobody can wait for it, and nothing can be destroyed.
Acceptor::~Acceptor() {
    if (!is_worker_process()) std::ignore = impl_.release();
}

}  // namespace holdfast
