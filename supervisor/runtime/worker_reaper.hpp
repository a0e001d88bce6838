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
#include "runtime/event_queue.hpp"
#include "runtime/launch_thread.hpp"
#include "runtime/log.hpp"
#include "runtime/worker.hpp"
#include "runtime/worker_channels.hpp"

namespace holdfast::runtime {

// Turns the ends of processes into MainExited and, when nothing of a worker is left, Exited.
class WorkerReaper {
  public:
    WorkerReaper(WorkerTable& workers, EventQueue& event_queue, WorkerChannels& channels, const LaunchThread& launches,
                 os::OomCount out_of_memory = os::OomCount());

    // It lives: what the kernel kills for want of memory counts from now on.
    void launched(Worker& worker) const;

    // Children that are no workers: nothing where nobody knows them.
    using OtherChildrenClassifier = std::function<std::optional<os::ReapDecision>(pid_t, const ExitStatus&)>;
    void set_other_children_classifier(OtherChildrenClassifier classify) { classify_others_ = std::move(classify); }

    // After SIGCHLD.
    void collect();

    // After a launch was reported: the worker may have ended before it was known, and its SIGCHLD with it.
    void collect_deferred();

    // It is forgotten while processes of it live, which survive being killed: its leader is reaped all the same.
    void disown(Worker& worker);

    // The process that the worker named with MAINPID= has ended.
    void main_ended(Worker& worker);

    // The worker's processes as they are now.
    os::ProcessTree scan(Worker& worker);
    os::ProcessTree kill(Worker& worker);

    // What the last worker that ended in each slot had said at the end, of at most `max_last_outputs` slots.
    static constexpr std::size_t max_last_outputs = 256;
    const std::map<SlotId, core::LastOutput>& last_outputs() const { return last_outputs_; }

  private:
    os::ReapDecision classify(pid_t pid, const ExitStatus& status);
    void check_processes(Worker& worker);
    void report_main_exited(Worker& worker, const os::ProcessTree& tree);
    void report_exited(Worker& worker);
    core::KilledBy kill_cause(const Worker& worker, const ExitStatus& status);
    void store_last_output(const Worker& worker, std::vector<std::string> lines);
    os::TreeQuery query(const Worker& worker) const;

    WorkerTable& workers_;
    EventQueue& event_queue_;
    WorkerChannels& channels_;
    const LaunchThread& launches_;
    os::Reaper reaper_;
    OtherChildrenClassifier classify_others_;
    os::OomCount out_of_memory_;
    std::uint64_t attributed_oom_kills_ = 0;  // of those that the kernel has counted: by an end that is known
    std::map<SlotId, core::LastOutput> last_outputs_;
    std::vector<WorkerId>
        ended_leaders_;  // their leaders have ended, and are not reaped while anything else of them lives
    enum class Deferred {
        none,
        some
    } deferred_ = Deferred::none;  // ended, but not judged while launches are under way
};

}  // namespace holdfast::runtime
