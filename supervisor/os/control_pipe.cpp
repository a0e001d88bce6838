#include "os/control_pipe.hpp"

#include <sys/socket.h>
#include <sys/stat.h>

#include <array>

#include "os/errno_error.hpp"

namespace holdfast::os {

Result<ControlPipe> open_control_pipe() {
    std::array<int, 2> ends{};
    if (::socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends.data()) != 0) {
        return errno_error("create a control pipe");
    }
    ControlPipe pipe{UniqueFd(ends[0]), UniqueFd(ends[1]), 0};
    struct stat status {};
    if (::fstat(pipe.workers.get(), &status) != 0) return errno_error("stat the control pipe");
    pipe.workers_inode = status.st_ino;
    return pipe;
}

}  // namespace holdfast::os
