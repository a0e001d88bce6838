#pragma once

#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/types.h>
#include <unistd.h>

#include <array>
#include <cstddef>
#include <cstdint>
#include <thread>
#include <utility>

#include "os/unique_fd.hpp"

namespace holdfast {

// Blocks a system call, as a dead mount would, in the calling thread and in all threads and processes that it starts
// from now on. The filter cannot be removed, so use it in a separate thread (`run_in_thread`). SIGKILL ends a blocked
// call; after the destructor the call fails with ENOSYS.
class BlockedSyscall {
  public:
    // Blocks only calls that have one of the bits of `flags` set in their first argument.
    explicit BlockedSyscall(std::uint32_t number, std::uint32_t flags = ~0U) {
        const auto nr = static_cast<std::uint32_t>(offsetof(seccomp_data, nr));
        const auto first_argument = static_cast<std::uint32_t>(offsetof(seccomp_data, args));  // its lower half
        std::array<sock_filter, 6> program{{
            BPF_STMT(BPF_LD | BPF_W | BPF_ABS, nr),
            BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, number, 0, 3),
            BPF_STMT(BPF_LD | BPF_W | BPF_ABS, first_argument),
            BPF_JUMP(BPF_JMP | BPF_JSET | BPF_K, flags, 0, 1),
            BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_USER_NOTIF),
            BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
        }};
        const sock_fprog filter{static_cast<unsigned short>(program.size()), program.data()};
        ::prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
        listener_.reset(static_cast<int>(
            ::syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, SECCOMP_FILTER_FLAG_NEW_LISTENER, &filter)));
    }

    // False if the kernel does not permit the filter.
    explicit operator bool() const { return static_cast<bool>(listener_); }

    // Waits until the next call is blocked. Returns the thread id of the caller.
    pid_t wait_until_called() const {
        seccomp_notif found{};
        return ::ioctl(listener_.get(), SECCOMP_IOCTL_NOTIF_RECV, &found) == 0 ? static_cast<pid_t>(found.pid) : -1;
    }

  private:
    os::UniqueFd listener_;
};

template <class Body>
void run_in_thread(Body body) {
    std::thread(std::move(body)).join();
}

}  // namespace holdfast
