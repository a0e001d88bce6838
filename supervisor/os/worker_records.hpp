#pragma once

#include <sys/types.h>

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.hpp"
#include "os/runtime_directory.hpp"
#include "os/unique_fd.hpp"

namespace holdfast::os {

// A live worker of an earlier supervisor that has exited. The pid and the start time identify a process permanently:
// open_process(pid, start_time) opens it, to send signals and to wait for its end.
struct Orphan {
    pid_t pid = 0;
    std::uint64_t start_time = 0;  // clock ticks since boot, from /proc/PID/stat
    std::string worker;            // "<generation>.<slot>"
    std::string command;           // from /proc/PID/comm
};

// The files `workers/<pid>` in the runtime directory. They record which processes are our workers, for the next
// supervisor: if we were killed, it may find its address in use by them.
class WorkerRecords {
  public:
    static Result<WorkerRecords> open(const RuntimeDirectory& directory);

    // The live workers of earlier supervisors. Call it before the first `add`. Removes the records of dead workers;
    // those of live workers stay until `remove`, and so do those of which it is not known. An error if there may be
    // more than could be seen.
    Result<std::vector<Orphan>> living_orphans() const;

    // Call these right after the launch and when the worker has ended. A process that has already ended is not
    // recorded.
    Result<void> add(pid_t pid, std::string_view worker) const;
    void remove(pid_t pid) const;

    // Removes the directory if it is empty, that is, if no orphan is left.
    void remove_folder(const RuntimeDirectory& directory) const;

  private:
    explicit WorkerRecords(UniqueFd folder) : folder_(std::move(folder)) {}
    UniqueFd folder_;
};

}  // namespace holdfast::os
