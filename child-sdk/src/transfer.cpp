#include <linux/sockios.h>
#include <poll.h>
#include <sys/ioctl.h>

#include <cstddef>
#include <holdfast/transfer.hpp>

namespace holdfast {

std::size_t untaken_bytes(int fd) {
    int bytes = 0;
    return ::ioctl(fd, SIOCOUTQ, &bytes) == 0 && bytes > 0 ? static_cast<std::size_t>(bytes) : 0;
}

bool was_reset(int fd) {
    pollfd socket{.fd = fd, .events = 0, .revents = 0};
    return ::poll(&socket, 1, 0) > 0 && (socket.revents & (POLLERR | POLLHUP | POLLNVAL)) != 0;
}

}  // namespace holdfast
