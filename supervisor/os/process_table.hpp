#pragma once

#include <sys/types.h>

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "base/result.hpp"

namespace holdfast::os {

// The answer of a look at the system: found, not there (nullopt), or not known, which is an Error with the errno. What
// is not known must not be taken for "not there": without a descriptor every process would seem to be gone.
template <class T>
using Look = Result<std::optional<T>>;

// What /proc reports about one process at one moment.
struct ProcessStatus {
    pid_t pid = 0;
    pid_t parent = 0;
    pid_t group = 0;
    pid_t session = 0;
    char state = '?';              // as ps(1) prints it: R S D T Z …
    int threads = 0;               // those that are alive, and the first one even if it has ended
    std::uint64_t start_time = 0;  // clock ticks since boot; identifies a process together with the pid
    std::string name;              // at most 15 bytes, chosen by the process itself: escape it before it is displayed
};

// Not known also if /proc is not mounted, or belongs to another PID namespace: then it shows other processes.
Look<ProcessStatus> process_status(pid_t pid);
// A zombie without live threads. (A process of which only the first thread has ended has the same state.)
bool is_dead(const ProcessStatus& status);
// The real user id.
Look<uid_t> process_uid(pid_t pid);

// The children of all threads of a process, including zombies; none if there is no such process. Reads the kernel's
// lists of children (CONFIG_PROC_CHILDREN) if they exist; otherwise scans all of /proc. An error if one of them may be
// missing.
Result<std::vector<pid_t>> children_of(pid_t pid);
// The children of the first thread only. The kernel assigns orphans to the first thread of their new parent (exit.c,
// find_alive_thread()), so the list contains the orphans among our descendants but not the workers that other threads
// launched. It stays short no matter how many workers there are.
Result<std::vector<pid_t>> children_of_first_thread(pid_t pid);
// The fallback of children_of(); costs about 15 us for each process of the machine.
Result<std::vector<pid_t>> children_by_scanning_proc(pid_t pid);

// The live members of a process group, including its leader. Scans all of /proc, so call it rarely. An error if one of
// them may be missing.
Result<std::vector<ProcessStatus>> members_of_group(pid_t group);

// Whether the initial environment of the process has one of the entries (complete "KEY=VALUE"). Also false if we are
// not permitted to read it: such a process cannot be recognised by its environment.
Result<bool> has_environment_entry(pid_t pid, std::span<const std::string> entries);

// Whether /proc shows the processes of our own PID namespace. It is looked at once, at the first call.
bool proc_is_ours();

}  // namespace holdfast::os
