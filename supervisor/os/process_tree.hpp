#pragma once

#include <sys/types.h>

#include <functional>
#include <span>
#include <string>
#include <vector>

#include "os/process.hpp"
#include "os/process_table.hpp"

namespace holdfast::os {

// The processes of one worker that are alive.
struct ProcessTree {
    std::vector<ProcessStatus> group;   // in the leader's process group; the leader too while it lives
    std::vector<ProcessStatus> strays;  // descendants that left the group
    bool empty() const { return group.empty() && strays.empty(); }
    std::size_t size() const { return group.size() + strays.size(); }
};

// How a process whose parent died (it is our child then: we are a subreaper) is known as this worker's.
struct TreeQuery {
    const Leader& leader;
    // Environment entries that only this worker's processes have: "HOLDFAST_CONTROL_INODE=…", "HOLDFAST_WORKER=1.0".
    std::span<const std::string> markers;
    // Whether a child of ours is the leader of any worker; such a one is never an orphan.
    std::function<bool(pid_t)> is_leader;
};

// What former scans found: processes that lose every other sign of whose they are can still be recognised by it.
// Empty at first; kept by the caller for as long as the worker lives; a scan leaves in it what it found.
using SeenProcesses = std::vector<ProcessStatus>;

// One look through /proc, about 30 us for each process of the worker and each orphan. Meant for the moments when
// something happened: a leader's end, a stage, a SIGCHLD. It cannot see what forks meanwhile: the fork's parent is
// seen.
ProcessTree scan_tree(const TreeQuery& query, SeenProcesses& seen);

// The signal to every stray. Returns how many got it.
int signal_strays(const ProcessTree& tree, int signal);

// SIGKILL to all of the worker's processes, again and again until a scan finds none that has not got it: whatever forks
// meanwhile is found too. Returns the processes that could not be signalled (no permission). Those that were may still
// be on their way out; their ends come as SIGCHLD.
ProcessTree kill_tree_now(const TreeQuery& query, SeenProcesses& seen);

}  // namespace holdfast::os
