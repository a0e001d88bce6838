#pragma once

#include <cstddef>
#include <functional>
#include <map>
#include <optional>
#include <vector>

#include "core/status.hpp"
#include "os/oom_count.hpp"
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
    Reaping(WorkerTable& workers, Pump& pump, Hearing& hearing, const LaunchThread& launches,
            os::OomCount out_of_memory = os::OomCount());

    // It lives: what the kernel kills for want of memory counts from now on.
    void launched(Worker& worker) const;

    // Children that are no workers: nothing where nobody knows them.
    using JudgeOthers = std::function<std::optional<os::Verdict>(pid_t, const ExitStatus&)>;
    void ask_about_others(JudgeOthers judge) { judge_others_ = std::move(judge); }

    // After SIGCHLD.
    void collect();

    // After a launch was reported: the worker may have ended before it was known, and its SIGCHLD with it.
    void collect_the_left();

    // It is forgotten while processes of it live, which survive being killed: its leader is reaped all the same.
    void leave_behind(Worker& worker);

    // The process that the worker named with MAINPID= has ended.
    void main_ended(Worker& worker);

    // The worker's processes as they are now.
    os::ProcessTree scan(Worker& worker);
    os::ProcessTree kill(Worker& worker);

    // What the last worker that ended in each slot had said at the end, of at most `most_kept` slots.
    static constexpr std::size_t most_kept = 256;
    const std::map<SlotId, core::LastOutput>& last_outputs() const { return last_outputs_; }

  private:
    os::Verdict judge(pid_t pid, const ExitStatus& status);
    void look_after(Worker& worker);
    void tell_main_exited(Worker& worker, const os::ProcessTree& tree);
    void tell_exited(Worker& worker);
    core::KilledBy killer_of(const Worker& worker, const ExitStatus& status);
    void keep_output(const Worker& worker, std::vector<std::string> lines);
    os::TreeQuery query(const Worker& worker) const;

    WorkerTable& workers_;
    Pump& pump_;
    Hearing& hearing_;
    const LaunchThread& launches_;
    os::Reaper reaper_;
    JudgeOthers judge_others_;
    os::OomCount out_of_memory_;
    std::uint64_t explained_kills_ = 0;  // of those that the kernel has counted: by an end that is known
    std::map<SlotId, core::LastOutput> last_outputs_;
    std::vector<WorkerId> kept_;  // their leaders have ended, and are not reaped while anything else of them lives
    enum class Left { nobody, somebody } left_ = Left::nobody;  // ended, but not judged while launches are under way
};

}  // namespace holdfast::runtime
