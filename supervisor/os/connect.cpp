#include "os/connect.hpp"

#include <netinet/in.h>
#include <sys/socket.h>

#include <cerrno>
#include <cstring>

#include "os/errno_error.hpp"

namespace holdfast::os {
namespace {

bool is_connected_to_itself(int socket_fd) {
    SocketAddress ours;
    SocketAddress theirs;
    ours.length = theirs.length = sizeof ours.storage;
    if (::getsockname(socket_fd, ours.get(), &ours.length) != 0) return false;
    if (::getpeername(socket_fd, theirs.get(), &theirs.length) != 0) return false;
    if (ours.family() != AF_INET && ours.family() != AF_INET6) return false;
    return ours.length == theirs.length && std::memcmp(&ours.storage, &theirs.storage, ours.length) == 0;
}

}  // namespace

Result<UniqueFd> begin_connect(const SocketAddress& socket_address) {
    UniqueFd socket{::socket(socket_address.family(), SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0)};
    if (!socket) return errno_error("create a socket");
    if (::connect(socket.get(), socket_address.get(), socket_address.length) != 0 && errno != EINPROGRESS) {
        return errno_error("connect to " + to_text(socket_address));
    }
    return socket;
}

int connect_outcome(int socket_fd) {
    int outcome = 0;
    socklen_t size = sizeof outcome;
    if (::getsockopt(socket_fd, SOL_SOCKET, SO_ERROR, &outcome, &size) != 0) return errno;
    if (outcome == 0 && is_connected_to_itself(socket_fd)) return ECONNREFUSED;
    return outcome;
}

}  // namespace holdfast::os
