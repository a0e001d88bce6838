#include "os/launch_child.hpp"

#include <fcntl.h>
#include <linux/close_range.h>
#include <sys/prctl.h>
#include <sys/syscall.h>

#include "os/raw_syscall.hpp"

namespace holdfast::os {
namespace {

constexpr int last_signal = 64;
constexpr long signal_set_size = 8;  // of the kernel's signal set, not libc's

template <class Pointee>
long address(Pointee* pointer) noexcept {
    return reinterpret_cast<long>(pointer);
}

void reset_dispositions() noexcept {
    // The kernel's struct sigaction; all zeros is SIG_DFL. Setting SIGKILL and SIGSTOP fails, but they cannot be
    // changed.
    const unsigned long to_default[4] = {};
    for (int signal = 1; signal <= last_signal; ++signal) {
        raw_syscall(SYS_rt_sigaction, signal, address(&to_default), 0, signal_set_size);
    }
}

long empty_signal_mask() noexcept {
    const unsigned long none = 0;
    return raw_syscall(SYS_rt_sigprocmask, 2 /* SIG_SETMASK */, address(&none), 0, signal_set_size);
}

void write_decimal(char* into, long number) noexcept {
    char digits[20];
    int count = 0;
    do {
        digits[count++] = static_cast<char>('0' + number % 10);
        number /= 10;
    } while (number > 0);
    while (count > 0) *into++ = digits[--count];
    *into = '\0';
}

// Moves a descriptor out of the range of the targets.
long lift(int& fd, int first_closed_fd) noexcept {
    if (fd < 0 || fd >= first_closed_fd) return 0;
    const long lifted = raw_syscall(SYS_fcntl, fd, F_DUPFD_CLOEXEC, first_closed_fd);
    if (lifted >= 0) fd = static_cast<int>(lifted);
    return lifted;
}

// All sources are moved out of the way before the first dup3: a target may be the number of another source.
long place_descriptors(ChildPlan& plan) noexcept {
    long result = lift(plan.directory_fd, plan.first_closed_fd);
    if (result >= 0) result = lift(plan.executable_fd, plan.first_closed_fd);
    for (int i = 0; result >= 0 && i < plan.move_count; ++i) result = lift(plan.moves[i].source, plan.first_closed_fd);
    for (int i = 0; result >= 0 && i < plan.move_count; ++i) {
        result = raw_syscall(SYS_dup3, plan.moves[i].source, plan.moves[i].target, 0);
    }
    if (result < 0) return result;
    // exec closes them, not this call: the directory and the executable are still needed.
    return raw_syscall(SYS_close_range, plan.first_closed_fd, static_cast<long>(~0U), CLOSE_RANGE_CLOEXEC);
}

long set_limits(ChildPlan& plan) noexcept {
    for (int i = 0; i < plan.limit_count; ++i) {
        plan.failed_limit = i;
        const ChildLimit& limit = plan.limits[i];
        const long result = raw_syscall(SYS_prlimit64, 0, limit.resource, address(limit.values), 0);
        if (result < 0) return result;
    }
    return 0;
}

struct Step {
    ChildStage stage = ChildStage::none;
    long result = 0;
    bool failed() const noexcept { return result < 0; }
};

// The groups must be changed first: after setresuid() the process may lack the privilege.
Step change_identity(const ChildPlan& plan) noexcept {
    if (plan.identity == ChildPlan::Identity::keep) return {};
    Step step{ChildStage::groups, raw_syscall(SYS_setgroups, plan.group_count, address(plan.groups))};
    if (step.failed()) return step;
    step = {ChildStage::group, raw_syscall(SYS_setresgid, plan.gid, plan.gid, plan.gid)};
    if (step.failed()) return step;
    return {ChildStage::user, raw_syscall(SYS_setresuid, plan.uid, plan.uid, plan.uid)};
}

Step apply_plan(ChildPlan& plan) noexcept {
    Step step{ChildStage::process_group, raw_syscall(SYS_setpgid, 0, 0)};
    if (step.failed()) return step;
    step = {ChildStage::descriptors, place_descriptors(plan)};
    if (step.failed()) return step;
    step = {ChildStage::limit, set_limits(plan)};
    if (step.failed()) return step;
    if (plan.umask >= 0) raw_syscall(SYS_umask, plan.umask);
    step = change_identity(plan);
    if (step.failed()) return step;
    if (plan.directory_fd >= 0) step = {ChildStage::directory, raw_syscall(SYS_fchdir, plan.directory_fd)};
    if (step.failed()) return step;
    if (plan.new_privileges == ChildPlan::NewPrivileges::allow) return {};
    return {ChildStage::privileges, raw_syscall(SYS_prctl, PR_SET_NO_NEW_PRIVS, 1)};
}

long execute(const ChildPlan& plan) noexcept {
    if (plan.executable_fd < 0) {
        return raw_syscall(SYS_execve, address(plan.path), address(plan.argv), address(plan.environment));
    }
    return raw_syscall(SYS_execveat, plan.executable_fd, address(""), address(plan.argv), address(plan.environment),
                       AT_EMPTY_PATH);
}

}  // namespace

int run_child(void* argument) noexcept {
    ChildPlan& plan = *static_cast<ChildPlan*>(argument);
    const long pid = raw_syscall(SYS_getpid);
    // The thread that cancels the launch sets `given_up` and then reads `pid`; the child writes `pid` and then reads
    // `given_up`. So at least one of the two sees the other.
    __atomic_store_n(plan.pid, static_cast<pid_t>(pid), __ATOMIC_SEQ_CST);
    while (__atomic_load_n(plan.given_up, __ATOMIC_SEQ_CST) != 0) raw_syscall(SYS_exit_group, 127);
    if (plan.listen_pid != nullptr) write_decimal(plan.listen_pid, pid);
    if (plan.watchdog_pid != nullptr) write_decimal(plan.watchdog_pid, pid);
    reset_dispositions();
    Step step = apply_plan(plan);
    if (!step.failed()) {
        empty_signal_mask();
        step = {ChildStage::execute, execute(plan)};
    }
    plan.error_number = static_cast<int>(-step.result);
    plan.failed_stage = step.stage;
    for (;;) raw_syscall(SYS_exit_group, 127);
}

}  // namespace holdfast::os
