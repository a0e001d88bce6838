#include "process.hpp"

#include <pthread.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <mutex>
#include <stdexcept>
#include <system_error>
#include <tuple>
#include <utility>

namespace holdfast {

namespace {

// The state that the signal handler and the fork handler may access: lock-free, and never destroyed, so that a late
// signal accesses no freed memory.
struct Shared {
    std::atomic<pid_t> present{0};  // this process; updated by fork
    std::atomic<pid_t> owner{0};    // the process that has a worker; 0: none
    std::atomic<pid_t> maker{0};    // the process that created the last worker; it may have ended
    std::atomic<int> wake_fd{-1};
    std::atomic<int> control_fd{-1};
    std::atomic<std::uint32_t> stop_signals{0};
};
static_assert(std::atomic<pid_t>::is_always_lock_free && std::atomic<std::uint32_t>::is_always_lock_free);

constinit Shared shared;

void write_wake(int fd) {
    const std::uint64_t one = 1;
    std::ignore = ::write(fd, &one, sizeof one);
}

// In a forked child the signal gets its default effect.
void on_stop_signal(int number) {
    const int saved = errno;
    if (::getpid() == shared.owner.load(std::memory_order_relaxed)) {
        shared.stop_signals.fetch_add(1, std::memory_order_relaxed);
        write_wake(shared.wake_fd.load(std::memory_order_relaxed));
    } else {
        ::signal(number, SIG_DFL);
        ::raise(number);
    }
    errno = saved;
}

// Closes the control pipe in the child: the supervisor treats its end of file as the end of the worker.
void in_forked_child() {
    shared.present.store(::getpid(), std::memory_order_relaxed);
    const int control_fd = shared.control_fd.exchange(-1, std::memory_order_relaxed);
    if (control_fd >= 0) ::close(control_fd);
}

void watch_forks() {
    static std::once_flag once;
    std::call_once(once, [] { ::pthread_atfork(nullptr, nullptr, in_forked_child); });
}

}  // namespace

Process::Process(int control_fd) : wake_(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)) {
    if (!wake_) throw std::system_error(errno, std::generic_category(), "cannot create an eventfd");
    const pid_t pid = ::getpid();
    if (shared.owner.exchange(pid) == pid) {
        throw std::logic_error(
            "cannot create a second holdfast::Worker: a process can have only one; pass it by reference");
    }
    watch_forks();
    shared.present = pid;
    shared.maker = pid;
    shared.control_fd = control_fd;
    shared.stop_signals = 0;
    shared.wake_fd = wake_.get();
    for (std::size_t i = 0; i < signals_.size(); ++i) {
        ::sigaction(signals_[i], nullptr, &former_[i]);
        if (former_[i].sa_handler == SIG_IGN) continue;
        struct sigaction action {};
        action.sa_handler = on_stop_signal;
        action.sa_flags = SA_RESTART;
        ::sigemptyset(&action.sa_mask);
        ::sigaction(signals_[i], &action, nullptr);
    }
}

Process::~Process() {
    restore_signals();
    shared.wake_fd = -1;
    shared.control_fd = -1;
    shared.owner = 0;
}

void Process::restore_signals() {
    if (!handles_signals_.exchange(false)) return;
    for (std::size_t i = 0; i < signals_.size(); ++i) ::sigaction(signals_[i], &former_[i], nullptr);
}

void Process::unblock_signals() {
    sigset_t set;
    ::sigemptyset(&set);
    for (const int number : signals_) ::sigaddset(&set, number);
    ::pthread_sigmask(SIG_UNBLOCK, &set, nullptr);
}

void Process::wake() { write_wake(wake_.get()); }

void Process::clear_wake() {
    std::uint64_t count = 0;
    std::ignore = ::read(wake_.get(), &count, sizeof count);
}

std::uint32_t Process::take_stop_signals() { return shared.stop_signals.exchange(0, std::memory_order_relaxed); }

void Process::request_stop() {
    shared.stop_signals.fetch_add(1, std::memory_order_relaxed);
    wake();
}

pid_t current_pid() { return shared.present.load(std::memory_order_relaxed); }

bool is_worker_process() { return shared.maker.load(std::memory_order_relaxed) == current_pid(); }

}  // namespace holdfast
