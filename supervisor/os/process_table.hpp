#pragma once

#include <sys/types.h>

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

namespace holdfast::os {

// What /proc says about one process at one moment.
struct ProcessStatus {
    pid_t pid = 0;
    pid_t parent = 0;
    pid_t group = 0;
    pid_t session = 0;
    char state = '?';              // as ps(1) prints it: R S D T Z …
    int threads = 0;               // live ones, and the first even when it has ended
    std::uint64_t start_time = 0;  // clock ticks since boot: with the pid, the identity of a process
    std::string name;              // at most 15 bytes, chosen by the process itself: escape it for people
};

// Nothing for a pid that is not there.
std::optional<ProcessStatus> process_status(pid_t pid);
// A zombie, all of whose threads have ended. (A program whose first thread alone has ended looks like one.)
bool is_dead(const ProcessStatus& status);
// The real user id.
std::optional<uid_t> process_uid(pid_t pid);

// The children of all threads of a process, zombies too. Reads the lists of children where the kernel keeps them
// (CONFIG_PROC_CHILDREN), else looks through all of /proc.
std::vector<pid_t> children_of(pid_t pid);
// Those of the first thread alone. The kernel gives orphans to the first thread of their new parent (exit.c,
// find_alive_thread()), so the orphans among our descendants are in here, and the workers that other threads launched
// are not: a short list however many workers there are.
std::vector<pid_t> children_of_first_thread(pid_t pid);
// The second of the two ways of children_of(), about 15 us for each process of the machine.
std::vector<pid_t> children_by_looking_everywhere(pid_t pid);

// Whoever lives in a process group, its leader too. Looks through all of /proc: for rare moments.
std::vector<ProcessStatus> members_of_group(pid_t group);

// Whether the environment that the process was started with has one of the entries ("KEY=VALUE", whole). False where
// it may not be read.
bool has_environment_entry(pid_t pid, std::span<const std::string> entries);

}  // namespace holdfast::os
