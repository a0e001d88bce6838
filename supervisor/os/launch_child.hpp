#pragma once

#include <sys/types.h>

#include <cstdint>

namespace holdfast::os {

// At what a child failed before it executed anything.
enum class ChildStage { none, process_group, descriptors, limit, groups, group, user, directory, privileges, execute };

struct DescriptorMove {
    int source;
    int target;
};

struct ChildLimit {
    int resource;
    std::uint64_t values[2];  // soft, hard: as prlimit64(2) reads them
};

// All that a child does, worked out before it exists: it runs in its parent's memory and may not allocate. Pointers are
// the parent's, alive until the child has executed or ended.
struct ChildPlan {
    const char* path = nullptr;
    int executable_fd = -1;  // executed instead of the path where it is not -1
    char* const* argv = nullptr;
    char* const* environment = nullptr;
    char* listen_pid = nullptr;    // where its pid goes in decimal, room for 11 bytes; nullptr: nowhere
    char* watchdog_pid = nullptr;  // the same
    int directory_fd = -1;         // -1: stays where the parent is
    DescriptorMove* moves = nullptr;
    int move_count = 0;
    int first_closed_fd = 3;  // from here on nothing is open after exec; above every target
    const ChildLimit* limits = nullptr;
    int limit_count = 0;
    int umask = -1;  // -1: the parent's
    enum class Identity { keep, change } identity = Identity::keep;
    uid_t uid = 0;
    gid_t gid = 0;
    const gid_t* groups = nullptr;
    int group_count = 0;
    enum class NewPrivileges { allow, forbid } new_privileges = NewPrivileges::allow;

    const int* given_up = nullptr;  // other threads write it (atomically): not 0 ends the child before it executes

    // Written by the child.
    pid_t* pid = nullptr;  // first of all; other threads read it (atomically)
    ChildStage failed_stage = ChildStage::none;
    int failed_limit = 0;  // which, at ChildStage::limit
    int error_number = 0;
};

// The child's whole life before exec, for clone(2): `plan` is a ChildPlan. Executes, or notes stage and errno in the
// plan and exits. Raw system calls alone, and compiled without sanitizers: errno, locks and the sanitizers' state
// belong to the parent's thread.
int run_child(void* plan) noexcept;

}  // namespace holdfast::os
