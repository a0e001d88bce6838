#include "interrupt_signal.hpp"

#include <fcntl.h>

#include <atomic>
#include <cerrno>
#include <forward_list>
#include <mutex>

namespace holdfast {

namespace {

// What the program had installed. Never freed, because a handler may be running. `before`: what it had installed before
// that, which is called if the program's handler calls the one that it has replaced, ours.
struct Former {
    struct sigaction action;
    Former* before;
    std::atomic<bool> is_spent{false};  // SA_RESETHAND: it was called
};

// The state that the signal handler accesses. A handler has no user argument. Nothing else uses these variables.
struct Handlers {
    std::mutex mutex;  // guards `users`, and changes of `top`
    int users = 0;
    std::atomic<Former*> top{nullptr};
};
static_assert(std::atomic<Former*>::is_always_lock_free);

constinit Handlers handlers;

constexpr int is_called_once = static_cast<int>(SA_RESETHAND);

// In the static TLS block: the handler must not allocate.
[[gnu::tls_model("initial-exec")]] constinit thread_local int accepts_from = -1;
[[gnu::tls_model("initial-exec")]] constinit thread_local const Former* running_former = nullptr;

Former* keep_former(const struct sigaction& action, Former* before) {
    static auto& all = *new std::forward_list<Former>;
    Former& kept = all.emplace_front();
    kept.action = action;
    kept.before = before;
    return &kept;
}

void call_former(Former& former, int number, siginfo_t* info, void* context) {
    const struct sigaction& action = former.action;
    if ((action.sa_flags & is_called_once) != 0 && former.is_spent.exchange(true)) return;
    if ((action.sa_flags & SA_SIGINFO) != 0) {
        action.sa_sigaction(number, info, context);
    } else if (action.sa_handler != SIG_DFL && action.sa_handler != SIG_IGN) {
        action.sa_handler(number);
    }
}

void on_interrupt(int number, siginfo_t* info, void* context) {
    const int saved = errno;
    if (accepts_from >= 0) {
        const int flags = ::fcntl(accepts_from, F_GETFL);
        if (flags >= 0 && (flags & O_NONBLOCK) == 0) ::fcntl(accepts_from, F_SETFL, flags | O_NONBLOCK);
    }
    const bool is_ours = info->si_code == SI_QUEUE && info->si_value.sival_ptr == &handlers;
    const Former* const caller = running_former;
    Former* const former = caller != nullptr ? caller->before : handlers.top.load(std::memory_order_acquire);
    if (!is_ours && former != nullptr) {
        running_former = former;
        call_former(*former, number, info, context);
        running_former = caller;
    }
    errno = saved;
}

bool is_installed(const struct sigaction& action) {
    return (action.sa_flags & SA_SIGINFO) != 0 && action.sa_sigaction == on_interrupt;
}

bool is_handler(const struct sigaction& action) {
    return (action.sa_flags & SA_SIGINFO) != 0 || (action.sa_handler != SIG_DFL && action.sa_handler != SIG_IGN);
}

// Signals are deferred while a handler runs, so that a call of ours during a call of the program's comes from there.
struct sigaction ours_instead_of(const struct sigaction& former) {
    struct sigaction action {};
    action.sa_flags = SA_ONSTACK;
    if (is_handler(former)) {
        action.sa_flags = former.sa_flags & ~(is_called_once | SA_NODEFER);
        action.sa_mask = former.sa_mask;
    }
    action.sa_flags |= SA_SIGINFO;
    action.sa_sigaction = on_interrupt;
    return action;
}

// Called with the mutex locked.
void install_handler() {
    struct sigaction current {};
    ::sigaction(InterruptSignal::number, nullptr, &current);
    if (is_installed(current)) return;
    handlers.top.store(keep_former(current, handlers.top.load()), std::memory_order_release);
    const struct sigaction action = ours_instead_of(current);
    ::sigaction(InterruptSignal::number, &action, nullptr);
}

// Called with the mutex locked. A handler that the program installed later stays; it may still call ours.
void restore_handler() {
    struct sigaction current {};
    ::sigaction(InterruptSignal::number, nullptr, &current);
    if (!is_installed(current)) return;
    Former& former = *handlers.top.load();
    struct sigaction action = former.action;
    if (former.is_spent) action = {};
    ::sigaction(InterruptSignal::number, &action, nullptr);
    handlers.top.store(former.before, std::memory_order_release);
}

}  // namespace

InterruptSignal::InterruptSignal() {
    const std::lock_guard lock(handlers.mutex);
    ++handlers.users;
    install_handler();
}

InterruptSignal::~InterruptSignal() {
    const std::lock_guard lock(handlers.mutex);
    if (--handlers.users == 0) restore_handler();
}

void InterruptSignal::begin_accepting(int listener_fd) {
    accepts_from = listener_fd;
    sigset_t set;
    ::sigemptyset(&set);
    ::sigaddset(&set, number);
    ::pthread_sigmask(SIG_UNBLOCK, &set, nullptr);
}

void InterruptSignal::send(pthread_t thread) const {
    {
        const std::lock_guard lock(handlers.mutex);
        install_handler();
    }
    sigval value{};
    value.sival_ptr = &handlers;  // distinguishes it from a signal of the program
    ::pthread_sigqueue(thread, number, value);
}

}  // namespace holdfast
