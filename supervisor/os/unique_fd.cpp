#include "os/unique_fd.hpp"

#include <cerrno>

namespace holdfast::os {

void UniqueFd::reset(int fd) noexcept {
    const int former_fd = std::exchange(fd_, fd);
    if (former_fd < 0) return;
    const int former_errno = errno;
    // Not repeated on EINTR: Linux has released the descriptor by then, and another thread may own its number.
    ::close(former_fd);
    errno = former_errno;
}

}  // namespace holdfast::os
