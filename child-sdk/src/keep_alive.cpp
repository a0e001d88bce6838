#include <sys/socket.h>

#include <cerrno>
#include <holdfast/keep_alive.hpp>

namespace holdfast {

namespace {

ssize_t peek(int fd) {
    char byte = 0;
    ssize_t got = 0;
    do {
        got = ::recv(fd, &byte, 1, MSG_PEEK | MSG_DONTWAIT);
    } while (got < 0 && errno == EINTR);
    return got;
}

}  // namespace

bool has_bytes(int fd) { return peek(fd) > 0; }

bool has_ended(int fd) {
    const ssize_t got = peek(fd);
    return got == 0 || (got < 0 && errno != EAGAIN && errno != EWOULDBLOCK);
}

void half_close(int fd) { ::shutdown(fd, SHUT_WR); }

}  // namespace holdfast
