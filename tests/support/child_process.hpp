#pragma once

#include <sys/types.h>

#include <optional>
#include <string>
#include <vector>

#include "base/exit_status.hpp"
#include "base/time.hpp"

namespace holdfast::test {

// The one deadline of everything that tests wait for: generous, because reaching it means failure.
inline constexpr Duration test_timeout = std::chrono::seconds(30);

enum class Session {
    inherited,
    controlling_terminal
};  // controlling_terminal: leads a session whose terminal is standard input

struct Launch {
    std::string program{};  // absolute
    std::vector<std::string> arguments{};
    std::vector<std::string> environment{};  // K=V, beside our own
    int stdin_fd = -1;                       // -1: /dev/null, for all three; borrowed for the launch
    int stdout_fd = -1;
    int stderr_fd = -1;
    std::optional<unsigned long> open_files{};  // RLIMIT_NOFILE, soft
    Session session = Session::inherited;
    std::vector<int> ignored_signals{};  // what a careless parent leaves behind: these three
    std::vector<int> blocked_signals{};
    std::vector<int> leaked_fds{};  // numbers that are open, and not close-on-exec
};

// A process that a test starts. Killed and reaped at the latest when this dies; signals go through a pidfd.
class ChildProcess {
  public:
    // Throws where the program cannot be executed.
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

// A command whose output is kept.
class RunningCommand {
  public:
    explicit RunningCommand(Launch launch);
    ~RunningCommand();
    RunningCommand(const RunningCommand&) = delete;
    RunningCommand& operator=(const RunningCommand&) = delete;

    ChildProcess& process() { return *process_; }
    CommandResult wait(Duration deadline = test_timeout);

  private:
    int output_fd_ = -1;  // a memfd: whoever survives the command cannot keep us waiting
    std::optional<ChildProcess> process_;
};

CommandResult run_command(Launch launch, Duration deadline = test_timeout);

// Makes this process the parent of every orphan of its tree, so that a test sees who survived.
void become_subreaper();
// Children of this process that no ChildProcess stands for, "pid (command) state".
std::vector<std::string> describe_leaked_processes();
// Ends and reaps all of them, and whoever they leave behind.
void kill_leaked_processes();

}  // namespace holdfast::test
