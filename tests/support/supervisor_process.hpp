#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "child_process.hpp"
#include "event_log.hpp"

namespace holdfast::test {

// A new directory in /tmp; the destructor removes it with its content. The path is short, because the path of a unix
// socket is limited to 108 bytes.
class TemporaryDirectory {
  public:
    TemporaryDirectory();
    ~TemporaryDirectory();
    TemporaryDirectory(const TemporaryDirectory&) = delete;
    TemporaryDirectory& operator=(const TemporaryDirectory&) = delete;

    const std::string& path() const { return path_; }
    std::string operator/(std::string_view name) const { return path_ + '/' + std::string(name); }
    // Writes a file in the directory and returns its path.
    std::string write(std::string_view name, std::string_view content, unsigned mode = 0644) const;

  private:
    std::string path_;
};

struct RunOptions {
    std::vector<std::string> options;  // of `holdfast run`, added to the options of the fixture
    std::vector<std::string> command;
    std::string name = "web";
    std::vector<std::string> environment;  // K=V
    std::optional<unsigned long> open_files;
    int terminal_fd = -1;              // if set, holdfast leads the session of this terminal
    std::string runtime_directory;     // empty: in a temporary directory
    std::vector<std::string> wrapper;  // a command that runs `holdfast run …`; empty: none
    std::vector<int> ignored_signals, blocked_signals, leaked_fds;  // see Launch
};

// Adds an option, or changes its value if it is already set.
void set_option(RunOptions& run, const std::string& name, const std::string& value);

// Runs the real `holdfast run` with a temporary runtime directory and parses its log. The destructor kills the whole
// process tree. If the supervisor had exited by itself before, processes that survived it fail the test.
class SupervisorProcess {
  public:
    explicit SupervisorProcess(RunOptions options);
    ~SupervisorProcess();
    SupervisorProcess(const SupervisorProcess&) = delete;
    SupervisorProcess& operator=(const SupervisorProcess&) = delete;

    EventLog& log() { return *log_; }
    LogEntry wait_for(std::string_view event, const LogPredicate& fits = any_entry(), std::size_t from = 0) {
        return log_->wait_for(event, fits, from);
    }
    // Waits until the first generation serves.
    void wait_until_serving() { wait_for("service_ready"); }

    pid_t pid() const { return process_->pid(); }
    void signal(int number) const { process_->signal(number); }
    // Runs `holdfast VERB NAME …` for this supervisor and waits for its end; a restart, for instance, is then complete.
    CommandResult command(const std::string& verb, const std::vector<std::string>& arguments = {});
    std::unique_ptr<RunningCommand> start_command(const std::string& verb,
                                                  const std::vector<std::string>& arguments = {});
    // Waits for the exit and returns the exit status; the log is then complete. The destructor checks for survivors.
    ExitStatus wait_for_exit(Duration deadline = test_timeout);
    ExitStatus stop();       // SIGTERM, then wait_for_exit()
    void kill_supervisor();  // SIGKILL; this process becomes the parent of the workers
    bool is_running() { return process_->is_running(); }

    // The address of a listener, from the log: "127.0.0.1:34567", "unix:/…".
    std::string address(std::size_t listener = 0);
    const std::string& directory() const { return directory_.path(); }
    const std::string& runtime_directory() const { return options_.runtime_directory; }
    std::string worker_output() const;  // standard output of workers and supervisor so far

  private:
    enum class Ended { not_yet, by_itself, by_us };

    Launch make_launch() const;

    RunOptions options_;
    TemporaryDirectory directory_;
    int output_fd_ = -1;
    std::unique_ptr<EventLog> log_;
    std::unique_ptr<ChildProcess> process_;
    Ended ended_ = Ended::not_yet;
};

}  // namespace holdfast::test
