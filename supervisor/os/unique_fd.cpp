#include "os/unique_fd.hpp"

#include <cerrno>

namespace holdfast::os {

void UniqueFd::reset(int fd) noexcept {
    const int former_fd = std::exchange(fd_, fd);
    if (former_fd < 0) return;
    const int former_errno = errno;
    // No retry on EINTR: Linux has already released the descriptor, and another thread may have reused its number.
    ::close(former_fd);
    errno = former_errno;
}

}  // namespace holdfast::os
