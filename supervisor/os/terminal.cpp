#include "os/terminal.hpp"

#include <sys/ioctl.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include <csignal>

namespace holdfast::os {

int terminal_width(int fd) {
    constexpr int usual_width = 80;  // for a terminal that does not report its size
    if (::isatty(fd) == 0) return 0;
    winsize size{};
    if (::ioctl(fd, TIOCGWINSZ, &size) != 0 || size.ws_col == 0) return usual_width;
    return size.ws_col;
}

Interrupts Interrupts::block() {
    sigset_t interrupt;
    sigemptyset(&interrupt);
    sigaddset(&interrupt, SIGINT);
    ::pthread_sigmask(SIG_BLOCK, &interrupt, nullptr);
    return Interrupts(UniqueFd(::signalfd(-1, &interrupt, SFD_CLOEXEC | SFD_NONBLOCK)));
}

bool Interrupts::was_interrupted() const {
    signalfd_siginfo info{};
    return ::read(signals_.get(), &info, sizeof info) == static_cast<ssize_t>(sizeof info);
}

}  // namespace holdfast::os
