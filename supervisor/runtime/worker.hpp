#pragma once

#include <array>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/exit_status.hpp"
#include "base/ids.hpp"
#include "core/policy.hpp"
#include "os/notify_socket.hpp"
#include "os/probe_listener.hpp"
#include "os/process.hpp"
#include "os/process_tree.hpp"
#include "runtime/descriptor.hpp"
#include "runtime/descriptor_closer.hpp"
#include "runtime/last_lines.hpp"
#include "runtime/line_copier.hpp"

namespace holdfast::runtime {

// The processes and descriptors of one worker. Decisions about the worker are made in core/.
struct Worker {
    Worker() = default;
    ~Worker();
    Worker(const Worker&) = delete;
    Worker& operator=(const Worker&) = delete;

    WorkerId id;
    Generation generation;
    SlotId slot;
    LaunchSpecId spec;
    std::string name;                    // "<generation>.<slot>"
    std::string command;                 // base name of the executed program; empty: not launched
    std::array<std::string, 1> markers;  // environment entries that only processes of this worker have

    // A kill was requested during the launch; it is carried out once the worker is launched.
    enum class KillRequested { no, yes } kill_requested = KillRequested::no;

    os::Leader leader;                          // empty until the launch
    os::Process declared_main;                  // MAINPID=; empty: the leader is the main process
    std::optional<ExitStatus> leader_status;    // set when it has ended; it is not reaped before its group is empty
    std::optional<ExitStatus> declared_status;  // of a declared main process that is our child
    enum class Main { runs, ended } main = Main::runs;
    os::SeenProcesses seen;
    enum class SeenAll { no, yes } seen_all = SeenAll::yes;  // at the last MainExited
    uid_t uid = 0;  // the uid that it runs as; messages of other uids are rejected

    // A listener that the worker inherited.
    struct InheritedListener {
        std::uint64_t inode = 0;
        std::string address;  // as configured, such as ":8080"
    };
    std::vector<InheritedListener> listeners;
    std::optional<core::ReadyProbe> probe;  // how its readiness is probed; empty: not at all
    std::optional<os::ProbeListener> probe_listener;
    std::uint64_t out_of_memory_kills = 0;  // count of the kernel at the launch

    Descriptor control;
    Descriptor notify;
    std::optional<os::NotifySocket> notify_socket;  // owns the descriptor that `notify` watches
    Descriptor error_output;
    std::unique_ptr<DescriptorCloser> closer;  // of what it has sent; empty: nothing had to be closed
    Descriptor main_watch;                     // watches the pidfd of declared_main, which it does not own
    LineCopier error_lines;                    // copies its standard error to ours
    LastLines last_lines;
    std::uint64_t refused_messages = 0;

    pid_t leader_pid = 0;  // for messages, valid even after the pid was reused; 0: not launched

    pid_t pid() const { return declared_main ? declared_main.pid() : leader_pid; }
    const os::Process& main_process() const { return declared_main ? declared_main : leader.process(); }
};

// All workers that the core still knows. Pointers are valid until erase().
class WorkerTable {
  public:
    Worker& add(std::unique_ptr<Worker> worker);
    void launched(Worker& worker, os::Leader leader);
    // The leader was reaped, so its pid may be reused.
    void reaped(pid_t pid) { by_pid_.erase(pid); }
    void erase(WorkerId id);

    Worker* find(WorkerId id);
    const Worker* find(WorkerId id) const;
    Worker* find_leader(pid_t pid);
    bool is_leader(pid_t pid) const { return by_pid_.contains(pid); }

    auto begin() { return workers_.begin(); }
    auto end() { return workers_.end(); }
    auto begin() const { return workers_.begin(); }
    auto end() const { return workers_.end(); }

  private:
    std::map<WorkerId, std::unique_ptr<Worker>> workers_;
    std::map<pid_t, WorkerId> by_pid_;
};

}  // namespace holdfast::runtime
