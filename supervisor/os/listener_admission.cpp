#include <poll.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include <cerrno>
#include <utility>

#include "os/listener.hpp"

namespace holdfast::os {
namespace {

bool is_local(const Listener& listener) { return listener.socket_address.family() == AF_UNIX; }

// Accepts and closes all connections in the queue of a unix socket. The descriptor may be blocking, and a worker may
// accept the connection between our poll and accept; the receive timeout of the socket ends that wait. The timeout is
// the only setting that is changed, and it is restored.
void empty_queue(int listener_fd) {
    timeval before{};
    socklen_t size = sizeof before;
    ::getsockopt(listener_fd, SOL_SOCKET, SO_RCVTIMEO, &before, &size);
    const timeval shortest{0, 1};
    ::setsockopt(listener_fd, SOL_SOCKET, SO_RCVTIMEO, &shortest, sizeof shortest);
    pollfd state{listener_fd, POLLIN, 0};
    while (::poll(&state, 1, 0) == 1 && (state.revents & POLLIN) != 0) {
        const UniqueFd client{::accept4(listener_fd, nullptr, nullptr, SOCK_CLOEXEC)};
        if (!client && errno != EINTR && errno != ECONNABORTED) break;
    }
    ::setsockopt(listener_fd, SOL_SOCKET, SO_RCVTIMEO, &before, sizeof before);
}

int wanted_backlog(const Listener& listener) { return listener.backlog.value_or(SOMAXCONN); }

// Binds a new socket to the name of a dead one.
Revival reopen(Listener& listener) {
    if (listener.ownership == Ownership::adopted) {
        errno = EPERM;
        return Revival::failed;
    }
    if (listener.address.family == Family::unix_abstract) {
        // The name becomes free when no process has the dead socket open, including ours. `fd` becomes an unbound
        // placeholder.
        listener.fd.reset(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
    }
    auto fresh = open_listeners(listener.address);
    if (!fresh) {
        errno = fresh.error().code;
        return Revival::failed;
    }
    Listener& replacement = fresh->front();
    listener.fd = std::move(replacement.fd);
    listener.path = std::move(replacement.path);
    return Revival::reopened;
}

Revival revive_internet(Listener& listener) {
    // An adopted listener may have lost a port that the kernel chose; listen() would then choose another one. bind()
    // returns EINVAL for a socket that still has its port.
    const bool is_bound =
        ::bind(listener.fd.get(), listener.socket_address.get(), listener.socket_address.length) == 0 ||
        errno == EINVAL;
    return is_bound && ::listen(listener.fd.get(), wanted_backlog(listener)) == 0 ? Revival::revived : Revival::failed;
}

Revival revive_local(Listener& listener) {
    if (is_shut_down(listener)) return reopen(listener);
    if (!listener.path) return Revival::revived;
    switch (listener.path->relink()) {
        case UnixPath::State::present:
        case UnixPath::State::restored:
            return Revival::revived;
        case UnixPath::State::lost:
            return reopen(listener);
        case UnixPath::State::taken:
            break;
    }
    errno = EADDRINUSE;
    return Revival::failed;
}

}  // namespace

bool refuse(Listener& listener) {
    if (listener.ownership == Ownership::adopted) return false;
    const bool is_withdrawn = listener.path && listener.path->withdraw();
    if (!is_withdrawn) ::shutdown(listener.fd.get(), SHUT_RD);
    if (is_local(listener)) empty_queue(listener.fd.get());
    return true;
}

bool can_refuse_temporarily(const Listener& listener) {
    if (listener.ownership == Ownership::adopted) return false;
    return !is_local(listener) || (listener.path && listener.path->can_be_withdrawn());
}

Revival listen_again(Listener& listener) {
    return is_local(listener) ? revive_local(listener) : revive_internet(listener);
}

bool is_shut_down(const Listener& listener) {
    if (is_local(listener)) {  // SO_ACCEPTCONN stays set for unix sockets
        pollfd state{listener.fd.get(), POLLRDHUP, 0};
        return ::poll(&state, 1, 0) == 1;
    }
    int accepts = 0;
    socklen_t size = sizeof accepts;
    return ::getsockopt(listener.fd.get(), SOL_SOCKET, SO_ACCEPTCONN, &accepts, &size) != 0 || accepts == 0;
}

}  // namespace holdfast::os
