#pragma once

#include <sys/types.h>

#include <optional>
#include <string>
#include <vector>

#include "base/exit_status.hpp"
#include "base/time.hpp"

namespace holdfast::test {

// The timeout of everything that tests wait for. It is long because reaching it means failure.
inline constexpr Duration test_timeout = std::chrono::seconds(30);

enum class Session {
    inherited,
    controlling_terminal
};  // controlling_terminal: the process leads a session whose terminal is its standard input

struct Launch {
    std::string program{};  // absolute
    std::vector<std::string> arguments{};
    std::vector<std::string> environment{};  // K=V, added to the environment of this process
    int stdin_fd = -1;                       // all three: -1 is /dev/null; not closed
    int stdout_fd = -1;
    int stderr_fd = -1;
    std::optional<unsigned long> open_files{};  // RLIMIT_NOFILE, soft
    Session session = Session::inherited;
    std::vector<int> ignored_signals{};  // these three: what a careless parent process passes on
    std::vector<int> blocked_signals{};
    std::vector<int> leaked_fds{};  // descriptors that are open in the child
};

// A process that a test starts. The destructor kills and reaps it. Signals are sent through a pidfd.
class ChildProcess {
  public:
    // Throws if the program cannot be executed.
    explicit ChildProcess(const Launch& launch);
    ~ChildProcess();
    ChildProcess(const ChildProcess&) = delete;
    ChildProcess& operator=(const ChildProcess&) = delete;

    pid_t pid() const { return pid_; }
    void signal(int number) const;
    // Throws after `deadline`.
    ExitStatus wait(Duration deadline = test_timeout);
    bool is_running();

  private:
    bool reap(Duration deadline);

    pid_t pid_ = -1;
    int pid_fd_ = -1;
    std::optional<ExitStatus> status_;
};

struct CommandResult {
    ExitStatus status;
    std::string output;  // standard output and standard error
    bool succeeded() const { return status == ExitStatus{ExitedWith{0}}; }
};

// A running command whose output is captured.
class RunningCommand {
  public:
    explicit RunningCommand(Launch launch);
    ~RunningCommand();
    RunningCommand(const RunningCommand&) = delete;
    RunningCommand& operator=(const RunningCommand&) = delete;

    ChildProcess& process() { return *process_; }
    CommandResult wait(Duration deadline = test_timeout);

  private:
    int output_fd_ = -1;  // a memfd, so that a process that survives the command does not delay wait()
    std::optional<ChildProcess> process_;
};

CommandResult run_command(Launch launch, Duration deadline = test_timeout);

// Makes this process the parent of every orphan among its descendants, so that a test finds surviving processes.
void become_subreaper();
// Children of this process that no ChildProcess owns, as "pid (command) state".
std::vector<std::string> describe_leaked_processes();
// Kills and reaps all of them, and the children that they leave.
void kill_leaked_processes();

}  // namespace holdfast::test
