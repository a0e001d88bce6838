#pragma once

#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>
#include <cstddef>
#include <functional>
#include <map>
#include <optional>
#include <vector>

#include "core/status.hpp"
#include "os/descriptor_reserve.hpp"
#include "os/oom_count.hpp"
#include "os/process_tree.hpp"
#include "os/reaper.hpp"
#include "runtime/event_queue.hpp"
#include "runtime/launch_thread.hpp"
#include "runtime/log.hpp"
#include "runtime/worker.hpp"
#include "runtime/worker_channels.hpp"

namespace holdfast::runtime {

// Reports ended processes as MainExited and, once no process of a worker is left, as Exited.
class WorkerReaper {
  public:
    WorkerReaper(boost::asio::io_context& io, WorkerTable& workers, EventQueue& event_queue, WorkerChannels& channels,
                 const LaunchThread& launches, Log& log, os::OomCount out_of_memory = os::OomCount());

    // Called when the worker was launched. OOM kills are counted from then on.
    void launched(Worker& worker) const;

    // Classifies children that are not workers; returns nullopt for unknown ones.
    using OtherChildrenClassifier = std::function<std::optional<os::ReapDecision>(pid_t, const ExitStatus&)>;
    void set_other_children_classifier(OtherChildrenClassifier classify) { classify_others_ = std::move(classify); }

    // Call it after SIGCHLD.
    void collect();

    // Call it after a launch was reported: the worker, and its SIGCHLD, may have come before its pid was known.
    void collect_deferred();

    // Called when a worker is forgotten while processes of it are alive because they survived SIGKILL; its leader is
    // still reaped.
    void disown(Worker& worker);

    // A process that was declared with MAINPID= has ended.
    void main_ended(Worker& worker);

    // The current processes of the worker. If some could not be seen (ProcessTree::not_known), they are looked for
    // again soon; a kill is then repeated.
    os::ProcessTree scan(Worker& worker);
    os::ProcessTree kill(Worker& worker);

    // Sends a signal to the descendants outside the worker's process group, and returns them.
    os::ProcessTree signal_strays(Worker& worker, int signal);

    // The last output of the last worker that ended in each slot, for at most `max_last_outputs` slots.
    static constexpr std::size_t max_last_outputs = 256;
    const std::map<SlotId, core::LastOutput>& last_outputs() const { return last_outputs_; }

  private:
    os::ReapDecision classify(pid_t pid, const ExitStatus& status);
    void check_processes(Worker& worker);
    void report_main_exited(Worker& worker, const os::ProcessTree& tree);
    void report_look(Worker& worker, const os::ProcessTree& tree);
    void report_exited(Worker& worker);
    core::KilledBy kill_cause(const Worker& worker, const ExitStatus& status);
    void store_last_output(const Worker& worker, std::vector<std::string> lines);
    os::TreeQuery query(const Worker& worker) const;
    template <class Look>
    os::ProcessTree look(Look look);
    void note_not_seen(const Error& failure);
    void look_again();

    WorkerTable& workers_;
    EventQueue& event_queue_;
    WorkerChannels& channels_;
    const LaunchThread& launches_;
    Log& log_;
    os::DescriptorReserve reserve_;
    boost::asio::steady_timer next_look_;  // set only while something could not be seen
    enum class Sight { clear, lost } sight_ = Sight::clear;
    bool has_missed_ = false;  // since the last look_again() began
    std::vector<WorkerId> kills_to_repeat_;
    os::Reaper reaper_;
    OtherChildrenClassifier classify_others_;
    os::OomCount out_of_memory_;
    std::uint64_t attributed_oom_kills_ = 0;  // OOM kills that were attributed to a worker
    std::map<SlotId, core::LastOutput> last_outputs_;
    // Workers whose leader has ended but is not reaped yet, because other processes of the worker are alive.
    std::vector<WorkerId> ended_leaders_;
    // Whether children have ended that cannot be classified while launches are in progress.
    enum class Deferred { none, some } deferred_ = Deferred::none;
};

}  // namespace holdfast::runtime
