#include "supervisor_process.hpp"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iostream>
#include <iterator>
#include <stdexcept>
#include <system_error>
#include <utility>

#include "programs.hpp"

namespace holdfast::test {

TemporaryDirectory::TemporaryDirectory() : path_("/tmp/hf-XXXXXX") {
    if (::mkdtemp(path_.data()) == nullptr)
        throw std::system_error(errno, std::generic_category(), "cannot create a directory in /tmp");
    ::chmod(path_.c_str(), 0755);  // workers of other users need to traverse it
}

TemporaryDirectory::~TemporaryDirectory() {
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
}

std::string TemporaryDirectory::write(std::string_view name, std::string_view content, unsigned mode) const {
    std::string path = *this / name;
    std::ofstream(path) << content;
    ::chmod(path.c_str(), mode);
    return path;
}

void set_option(RunOptions& run, const std::string& name, const std::string& value) {
    const auto found = std::ranges::find(run.options, name);
    if (found != run.options.end()) {
        *std::next(found) = value;
    } else {
        run.options.insert(run.options.end(), {name, value});
    }
}

SupervisorProcess::SupervisorProcess(RunOptions options) : options_(std::move(options)) {
    become_subreaper();
    if (options_.runtime_directory.empty()) options_.runtime_directory = directory_ / "run";
    int pipe_fds[2];
    if (::pipe2(pipe_fds, O_CLOEXEC) != 0)
        throw std::system_error(errno, std::generic_category(), "cannot create a pipe for the log");
    log_ = std::make_unique<EventLog>(pipe_fds[0]);
    output_fd_ = ::open((directory_ / "output").c_str(), O_CREAT | O_WRONLY | O_APPEND | O_CLOEXEC, 0644);

    Launch launch = make_launch();
    launch.stderr_fd = pipe_fds[1];
    process_ = std::make_unique<ChildProcess>(launch);
    ::close(pipe_fds[1]);
}

Launch SupervisorProcess::make_launch() const {
    std::vector<std::string> words = options_.wrapper;
    words.insert(words.end(), {program("holdfast"), "run", "--name", options_.name, "--log-format", "json",
                               "--log-level", "debug", "--runtime-dir", options_.runtime_directory});
    if (std::ranges::find(options_.options, "--state-dir") == options_.options.end()) {
        words.insert(words.end(), {"--state-dir", directory_ / "state"});
    }
    words.insert(words.end(), options_.options.begin(), options_.options.end());
    words.push_back("--");
    words.insert(words.end(), options_.command.begin(), options_.command.end());

    Launch launch;
    launch.program = words.front();
    launch.arguments.assign(words.begin() + 1, words.end());
    launch.environment = options_.environment;
    launch.stdout_fd = output_fd_;
    launch.open_files = options_.open_files;
    launch.ignored_signals = options_.ignored_signals;
    launch.blocked_signals = options_.blocked_signals;
    launch.leaked_fds = options_.leaked_fds;
    if (options_.terminal_fd >= 0) {
        launch.stdin_fd = options_.terminal_fd;
        launch.session = Session::controlling_terminal;
    }
    return launch;
}

SupervisorProcess::~SupervisorProcess() {
    if (ended_ == Ended::not_yet) kill_supervisor();
    if (ended_ == Ended::by_itself)
        for (const std::string& survivor : describe_leaked_processes())
            ADD_FAILURE() << "survived its supervisor: " << survivor;
    kill_leaked_processes();
    if (testing::Test::HasFailure() || std::uncaught_exceptions() > 0)
        std::cerr << "log of " << options_.name << ":\n" << log_->text() << "output:\n" << worker_output();
    ::close(output_fd_);
}

std::unique_ptr<RunningCommand> SupervisorProcess::start_command(const std::string& verb,
                                                                 const std::vector<std::string>& arguments) {
    Launch launch;
    launch.program = program("holdfast");
    launch.arguments = {verb, options_.name, "--runtime-dir", runtime_directory()};
    launch.arguments.insert(launch.arguments.end(), arguments.begin(), arguments.end());
    return std::make_unique<RunningCommand>(std::move(launch));
}

CommandResult SupervisorProcess::command(const std::string& verb, const std::vector<std::string>& arguments) {
    return start_command(verb, arguments)->wait(std::chrono::minutes(2));
}

ExitStatus SupervisorProcess::wait_for_exit(Duration deadline) {
    const ExitStatus status = process_->wait(deadline);
    ended_ = Ended::by_itself;
    log_->resume_reading();  // a test may have stopped it
    if (!log_->wait_for_end(test_timeout)) throw std::runtime_error("a process still has the supervisor's log open");
    return status;
}

ExitStatus SupervisorProcess::stop() {
    signal(SIGTERM);
    return wait_for_exit();
}

void SupervisorProcess::kill_supervisor() {
    if (ended_ != Ended::not_yet) return;
    signal(SIGKILL);
    process_->wait();
    ended_ = Ended::by_us;
}

std::string SupervisorProcess::address(std::size_t listener) {
    // "listening on 127.0.0.1:34567 (http)", one line per listener, in the order of the options.
    static constexpr std::string_view start = "listening on ";
    LogEntry entry = wait_for("listening");
    for (std::size_t i = 0; i < listener; ++i) entry = wait_for("listening", any_entry(), entry.index + 1);
    const std::size_t end = entry.text.find(' ', start.size());
    return entry.text.substr(start.size(), end - start.size());
}

std::string SupervisorProcess::worker_output() const {
    std::ifstream file(directory_ / "output");
    return {std::istreambuf_iterator<char>(file), {}};
}

}  // namespace holdfast::test
