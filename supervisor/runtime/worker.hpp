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
#include "runtime/last_lines.hpp"

namespace holdfast::runtime {

// What the runtime holds of one worker: its processes and its descriptors. What it should do is core's.
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
    std::string command;                 // the base name of what was executed; empty: not launched
    std::array<std::string, 1> markers;  // environment entries that only its processes have

    // A kill that came while the launch was still under way: carried out on arrival.
    enum class KillRequested { no, yes } kill_requested = KillRequested::no;

    os::Leader leader;                          // empty until it was launched
    os::Process declared_main;                  // MAINPID=; empty: the leader is the main process
    std::optional<ExitStatus> leader_status;    // it has ended and is kept until its group is empty
    std::optional<ExitStatus> declared_status;  // of a declared main process that became our child
    enum class Main { runs, ended } main = Main::runs;
    os::SeenProcesses seen;
    uid_t uid = 0;  // what it runs as: who may speak for it

    // A listener that it was launched with.
    struct InheritedListener {
        std::uint64_t inode = 0;
        std::string address;  // as its user wrote it: ":8080"
    };
    std::vector<InheritedListener> listeners;
    std::optional<core::ReadyProbe> probe;  // how it is asked whether it serves; empty: it is not
    std::optional<os::ProbeListener> probe_listener;
    std::uint64_t out_of_memory_kills = 0;  // that the kernel had counted when it was launched

    Descriptor control;
    Descriptor notify;
    std::optional<os::NotifySocket> notify_socket;  // owns what `notify` waits for
    Descriptor error_output;
    Descriptor main_watch;        // waits for declared_main's pidfd, owns nothing
    std::string unfinished_line;  // of its standard error, not copied to ours yet
    LastLines last_lines;
    std::uint64_t refused_messages = 0;

    pid_t leader_pid = 0;  // for words, also when the number is anybody's again; 0: not launched

    pid_t pid() const { return declared_main ? declared_main.pid() : leader_pid; }
    const os::Process& main_process() const { return declared_main ? declared_main : leader.process(); }
};

// The workers that core has not forgotten. Pointers stay good until erase().
class WorkerTable {
  public:
    Worker& add(std::unique_ptr<Worker> worker);
    void launched(Worker& worker, os::Leader leader);
    // Its leader was reaped: the number may be anybody's.
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
