#include "stderr_writer.hpp"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstddef>
#include <ctime>

#include "unique_fd.hpp"

namespace holdfast {

namespace {

constexpr std::size_t least_room = 256;  // what a terminal or pipe takes if poll(2) says that it takes something

// Blocks SIGPIPE in this thread, and removes the one that a write has caused.
class WithoutSigpipe {
  public:
    WithoutSigpipe() {
        ::sigemptyset(&sigpipe_);
        ::sigaddset(&sigpipe_, SIGPIPE);
        sigset_t pending;
        ::sigpending(&pending);
        was_pending_ = ::sigismember(&pending, SIGPIPE) == 1;
        ::pthread_sigmask(SIG_BLOCK, &sigpipe_, &former_);
    }
    ~WithoutSigpipe() {
        const timespec at_once{};
        if (!was_pending_) ::sigtimedwait(&sigpipe_, nullptr, &at_once);
        ::pthread_sigmask(SIG_SETMASK, &former_, nullptr);
    }
    WithoutSigpipe(const WithoutSigpipe&) = delete;
    WithoutSigpipe& operator=(const WithoutSigpipe&) = delete;

  private:
    sigset_t sigpipe_{};
    sigset_t former_{};
    bool was_pending_ = false;
};

// O_NONBLOCK is a property of the pipe or terminal, which other processes share, so it is not changed here.
ssize_t write_some(mode_t type, std::string_view text) {
    if (S_ISREG(type)) return ::write(STDERR_FILENO, text.data(), text.size());
    if (S_ISSOCK(type)) return ::send(STDERR_FILENO, text.data(), text.size(), MSG_DONTWAIT | MSG_NOSIGNAL);
    const iovec part{.iov_base = const_cast<char*>(text.data()), .iov_len = text.size()};
    const ssize_t count = ::pwritev2(STDERR_FILENO, &part, 1, -1, RWF_NOWAIT);
    if (count >= 0 || (errno != EOPNOTSUPP && errno != ENOSYS && errno != EINVAL)) return count;
    // Terminals, and old kernels: an open file of our own has its own flags.
    const UniqueFd own(::open("/proc/self/fd/2", O_WRONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC));
    if (own) return ::write(own.get(), text.data(), text.size());
    pollfd room{.fd = STDERR_FILENO, .events = POLLOUT, .revents = 0};
    if (::poll(&room, 1, 0) != 1 || (room.revents & POLLOUT) == 0) return -1;
    return ::write(STDERR_FILENO, text.data(), std::min(text.size(), least_room));
}

}  // namespace

void write_to_stderr(std::string_view text) {
    const WithoutSigpipe guard;
    struct stat status {};
    if (::fstat(STDERR_FILENO, &status) != 0) return;
    while (!text.empty()) {
        const ssize_t count = write_some(status.st_mode, text);
        if (count < 0 && errno == EINTR) continue;
        if (count <= 0) return;
        text.remove_prefix(static_cast<std::size_t>(count));
    }
}

}  // namespace holdfast
