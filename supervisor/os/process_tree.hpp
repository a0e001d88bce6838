#pragma once

#include <sys/types.h>

#include <functional>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "os/process.hpp"
#include "os/process_table.hpp"

namespace holdfast::os {

// The live processes of one worker.
struct ProcessTree {
    std::vector<ProcessStatus> group;   // in the process group of the leader, including the leader while it is alive
    std::vector<ProcessStatus> strays;  // descendants that left the process group
    // Why there may be more processes than these: a look has failed. Nothing may be concluded from their absence.
    std::optional<Error> not_known;
    bool empty() const { return group.empty() && strays.empty() && !not_known; }
    std::size_t size() const { return group.size() + strays.size(); }
};

// How to recognise orphans of a worker (their parent has ended, and they are our children because we are a subreaper).
struct TreeQuery {
    const Leader& leader;
    // Environment entries that only this worker's processes have: "HOLDFAST_CONTROL_INODE=…", "HOLDFAST_WORKER=1.0".
    std::span<const std::string> markers;
    // Whether a child of ours is the leader of any worker; leaders are never orphans.
    std::function<bool(pid_t)> is_leader;
};

// The processes that the last scan found; an orphan that has lost all other marks is recognised by them. Initially
// empty; the caller keeps it as long as the worker is alive; each scan updates it.
using SeenProcesses = std::vector<ProcessStatus>;

// Scans /proc once; costs about 30 us for each process of the worker and each orphan. Call it on events: the end of a
// leader, a change of stage, SIGCHLD. It misses processes that are forked during the scan, but not their parents.
ProcessTree scan_tree(const TreeQuery& query, SeenProcesses& seen);

// Sends a signal to each of these strays. Returns those of which it is not known whether they got it, because they
// could not be opened (no descriptor is left); those that have ended or may not be signalled are not among them.
std::vector<ProcessStatus> signal_strays(const std::vector<ProcessStatus>& strays, int signal);

// Sends SIGKILL to all of the worker's processes, repeatedly until a scan finds no process that has not been sent it;
// so processes that are forked in the meantime are found too. Returns the processes that could not be signalled (no
// permission). The others may still be exiting; their ends are reported by SIGCHLD. If `not_known` is set, some may
// have been missed: call it again.
ProcessTree kill_tree_now(const TreeQuery& query, SeenProcesses& seen);

}  // namespace holdfast::os
