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

// A worker of a former supervisor that lives on without one. pid and start time together name a process for ever:
// open_process(pid, start_time) gives it, for signalling it and waiting for its end.
struct Orphan {
    pid_t pid = 0;
    std::uint64_t start_time = 0;  // clock ticks after boot, /proc/PID/stat
    std::string worker;            // "<generation>.<slot>"
    std::string command;           // as in /proc/PID/comm
};

// The files `workers/<pid>` of the runtime directory: which processes are ours, for a successor that finds its address
// held after we were killed.
class WorkerRecords {
  public:
    static Result<WorkerRecords> open(const RuntimeDirectory& directory);

    // The workers of former supervisors that still live. To be called before the first `add`. Records of the dead are
    // removed on the way, those of the living stay until `remove`.
    std::vector<Orphan> living_orphans() const;

    // Right after the launch, and when the worker is gone. A process that is gone already is not recorded.
    Result<void> add(pid_t pid, std::string_view worker) const;
    void remove(pid_t pid) const;

    // Removes the folder, if no orphan is left in it.
    void remove_folder(const RuntimeDirectory& directory) const;

  private:
    explicit WorkerRecords(UniqueFd folder) : folder_(std::move(folder)) {}
    UniqueFd folder_;
};

}  // namespace holdfast::os
