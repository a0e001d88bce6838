#pragma once

#include <cstddef>
#include <functional>
#include <vector>

#include "os/process_tree.hpp"
#include "os/reaper.hpp"
#include "runtime/hearing.hpp"
#include "runtime/launch_thread.hpp"
#include "runtime/log.hpp"
#include "runtime/pump.hpp"
#include "runtime/worker.hpp"

namespace holdfast::runtime {

// Turns the ends of processes into MainExited and, when nothing of a worker is left, Exited.
class Reaping {
  public:
    Reaping(WorkerTable& workers, Pump& pump, Hearing& hearing, const LaunchThread& launches);

    // After SIGCHLD.
    void collect();

    // After a launch was reported: the worker may have ended before it was known, and its SIGCHLD with it.
    void collect_the_left();

    // The process that the worker named with MAINPID= has ended.
    void main_ended(Worker& worker);

    // The worker's processes as they are now.
    os::ProcessTree scan(Worker& worker);
    os::ProcessTree kill(Worker& worker);

  private:
    os::Verdict judge(pid_t pid, const ExitStatus& status);
    void look_after(Worker& worker);
    void tell_main_exited(Worker& worker, const os::ProcessTree& tree);
    void tell_exited(Worker& worker);
    os::TreeQuery query(const Worker& worker) const;

    WorkerTable& workers_;
    Pump& pump_;
    Hearing& hearing_;
    const LaunchThread& launches_;
    os::Reaper reaper_;
    std::vector<WorkerId> kept_;  // their leaders have ended, and are not reaped while anything else of them lives
    enum class Left { nobody, somebody } left_ = Left::nobody;  // ended, but not judged while launches are under way
};

}  // namespace holdfast::runtime
