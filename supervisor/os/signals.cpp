#include "os/signals.hpp"

#include <fcntl.h>
#include <poll.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>

#include "os/errno_error.hpp"

namespace holdfast::os {
namespace {

sigset_t handled_signals() {
    sigset_t set;
    ::sigemptyset(&set);
    for (const int signal : {SIGTERM, SIGINT, SIGQUIT, SIGHUP, SIGUSR1, SIGUSR2, SIGTTIN, SIGTTOU, SIGCHLD}) {
        ::sigaddset(&set, signal);
    }
    return set;
}

bool is_hung_up(int terminal_fd) {
    pollfd state{terminal_fd, 0, 0};
    return ::poll(&state, 1, 0) == 1 && (state.revents & (POLLHUP | POLLERR)) != 0;
}

}  // namespace

SighupDisposition prepare_signals() {
    const sigset_t set = handled_signals();
    ::pthread_sigmask(SIG_SETMASK, &set, nullptr);
    struct sigaction sighup {};
    ::sigaction(SIGHUP, nullptr, &sighup);
    ::signal(SIGPIPE, SIG_IGN);
    ::signal(SIGCHLD, SIG_DFL);
    return sighup.sa_handler == SIG_IGN ? SighupDisposition::ignored : SighupDisposition::handled;
}

Result<Signals> Signals::open() {
    Signals signals;
    const sigset_t set = handled_signals();
    signals.signals_.reset(::signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK));
    if (!signals.signals_) return errno_error("receive signals");
    signals.terminal_.reset(::open("/dev/tty", O_RDONLY | O_NOCTTY | O_NONBLOCK | O_CLOEXEC));
    return signals;
}

std::optional<ReceivedSignal> Signals::read() const {
    signalfd_siginfo info{};
    ssize_t size = 0;
    do {
        size = ::read(signals_.get(), &info, sizeof info);
    } while (size < 0 && errno == EINTR);
    if (size != sizeof info) return std::nullopt;
    ReceivedSignal received;
    received.signal = static_cast<int>(info.ssi_signo);
    received.origin = info.ssi_code > 0 ? Origin::kernel : Origin::process;  // sigaction(2): SI_USER and below
    received.sender_pid = static_cast<pid_t>(info.ssi_pid);
    received.sender_uid = info.ssi_uid;
    return received;
}

bool Signals::is_terminal_gone(const ReceivedSignal& signal) const {
    if (signal.signal != SIGHUP || !terminal_ || !is_hung_up(terminal_.get())) return false;
    return signal.origin == Origin::kernel || signal.sender_pid == ::getsid(0);
}

}  // namespace holdfast::os
