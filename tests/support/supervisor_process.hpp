#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "child_process.hpp"
#include "event_log.hpp"

namespace holdfast::test {

// A short directory of its own under /tmp, gone with all that is in it when this dies. Short: unix socket paths have
// 108 bytes.
class TemporaryDirectory {
  public:
    TemporaryDirectory();
    ~TemporaryDirectory();
    TemporaryDirectory(const TemporaryDirectory&) = delete;
    TemporaryDirectory& operator=(const TemporaryDirectory&) = delete;

    const std::string& path() const { return path_; }
    std::string operator/(std::string_view name) const { return path_ + '/' + std::string(name); }
    // Writes a file in it and returns its path.
    std::string write(std::string_view name, std::string_view content, unsigned mode = 0644) const;

  private:
    std::string path_;
};

struct RunOptions {
    std::vector<std::string> options;  // of `holdfast run`, beside those that the fixture gives
    std::vector<std::string> command;
    std::string name = "web";
    std::vector<std::string> environment;  // K=V
    std::optional<unsigned long> open_files;
    int terminal_fd = -1;              // runs as the leader of this terminal's session
    std::string runtime_directory;     // empty: one of its own
    std::vector<std::string> wrapper;  // a command that runs `holdfast run …`; empty: none
    std::vector<int> ignored_signals, blocked_signals, leaked_fds;  // see Launch
};

// Adds an option, or gives the one that is there another value.
void set_option(RunOptions& run, const std::string& name, const std::string& value);

// A real `holdfast run`, with a temporary directory of its own as its runtime directory and its log read as facts.
// Destroying it ends the whole process tree; where the supervisor had ended by itself before, survivors are a failure
// of the test.
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
    // Until the first generation serves.
    void wait_until_serving() { wait_for("service_ready"); }

    pid_t pid() const { return process_->pid(); }
    void signal(int number) const { process_->signal(number); }
    // `holdfast VERB NAME …` for this supervisor. A restart, for instance, is over when this returns.
    CommandResult command(const std::string& verb, const std::vector<std::string>& arguments = {});
    std::unique_ptr<RunningCommand> start_command(const std::string& verb,
                                                  const std::vector<std::string>& arguments = {});
    // The exit status; the log is complete then. Whether somebody survived is asked when this dies.
    ExitStatus wait_for_exit(Duration deadline = test_timeout);
    ExitStatus stop();       // SIGTERM, and the exit status
    void kill_supervisor();  // -9: leaves orphans to us
    bool is_running() { return process_->is_running(); }

    // What a client connects to, from the log: "127.0.0.1:34567", "unix:/…".
    std::string address(std::size_t listener = 0);
    const std::string& directory() const { return directory_.path(); }
    const std::string& runtime_directory() const { return options_.runtime_directory; }
    std::string worker_output() const;  // what workers and supervisor wrote to standard output so far

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
