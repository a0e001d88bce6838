#pragma once

#include <sched.h>
#include <sys/syscall.h>

#include "tests/support/blocked_syscall.hpp"

namespace holdfast {

// Makes the creation of threads fail in the calling thread, permanently. False if the kernel does not allow that.
inline bool refuse_new_threads() {
    // A filtered system call fails with ENOSYS once its BlockedSyscall is destroyed. libc tries clone3 first.
    const bool refused = static_cast<bool>(BlockedSyscall(SYS_clone3));
    return static_cast<bool>(BlockedSyscall(SYS_clone, CLONE_THREAD)) && refused;
}

}  // namespace holdfast
