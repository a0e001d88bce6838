#pragma once

#include <sys/types.h>

#include <cstdint>

namespace holdfast::os {

// The step at which a child failed before exec.
enum class ChildStage { none, process_group, descriptors, limit, groups, group, user, directory, privileges, execute };

struct DescriptorMove {
    int source;
    int target;
};

struct ChildLimit {
    int resource;
    std::uint64_t values[2];  // soft, hard, in the layout of prlimit64(2)
};

// Everything that the child does, prepared by the parent: the child runs in the parent's memory and must not allocate.
// The pointers refer to memory of the parent that stays valid until the child has executed or exited.
struct ChildPlan {
    const char* path = nullptr;
    int executable_fd = -1;  // if it is not -1, it is executed instead of the path
    char* const* argv = nullptr;
    char* const* environment = nullptr;
    char* listen_pid = nullptr;    // the child writes its pid here in decimal (11 bytes); nullptr: not needed
    char* watchdog_pid = nullptr;  // the same for WATCHDOG_PID
    int directory_fd = -1;         // -1: the parent's directory
    DescriptorMove* moves = nullptr;
    int move_count = 0;
    int first_closed_fd = 3;  // all descriptors from here on are closed by exec; larger than every target
    const ChildLimit* limits = nullptr;
    int limit_count = 0;
    int umask = -1;  // -1: the parent's umask
    enum class Identity { keep, change } identity = Identity::keep;
    uid_t uid = 0;
    gid_t gid = 0;
    const gid_t* groups = nullptr;
    int group_count = 0;
    enum class NewPrivileges { allow, forbid } new_privileges = NewPrivileges::allow;

    const int* given_up = nullptr;  // set atomically by other threads; if it is not 0, the child exits before exec

    // Written by the child.
    pid_t* pid = nullptr;  // written first; read atomically by other threads
    ChildStage failed_stage = ChildStage::none;
    int failed_limit = 0;  // index of the limit at ChildStage::limit
    int error_number = 0;
};

// The function that clone(2) runs in the child; `plan` points to a ChildPlan. Executes the program, or stores the
// failed stage and the errno in the plan and exits. It uses raw system calls only and is compiled without sanitizers,
// because errno, locks and the state of the sanitizers belong to the parent's thread.
int run_child(void* plan) noexcept;

}  // namespace holdfast::os
