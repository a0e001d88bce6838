#pragma once

#include <sys/eventfd.h>

#include <cerrno>
#include <system_error>

#include "unique_fd.hpp"

namespace holdfast {

// An eventfd for a condition: readable while it is set, for any number of threads in poll(2).
class WakeupFd {
  public:
    WakeupFd() : fd_(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)) {
        if (fd_.get() >= 0) return;
        throw std::system_error(
            errno, std::generic_category(),
            "cannot create an eventfd for the server: no descriptor is left; raise the limit (ulimit -n)");
    }
    void set() const { ::eventfd_write(fd_.get(), 1); }
    void clear() const {
        eventfd_t ignored = 0;
        ::eventfd_read(fd_.get(), &ignored);
    }
    int fd() const { return fd_.get(); }

  private:
    UniqueFd fd_;
};

}  // namespace holdfast
