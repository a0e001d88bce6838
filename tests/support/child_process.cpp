#include "child_process.hpp"

#include <fcntl.h>
#include <linux/close_range.h>
#include <poll.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <boost/asio/io_context.hpp>
#include <boost/process/v2/process.hpp>
#include <cerrno>
#include <csignal>
#include <set>
#include <stdexcept>
#include <system_error>

#include "errno_exception.hpp"
#include "proc.hpp"

namespace holdfast::test {
namespace {

namespace process_v2 = boost::process::v2;

std::set<pid_t>& known_children() {
    static std::set<pid_t> pids;
    return pids;
}

// Adds to Boost.Process what the initializers of 1.81 cannot do: the environment without a further library, a
// controlling terminal, a resource limit. All descriptors of the tests are close-on-exec, so none can leak.
struct Initializer {
    const Launch& launch;
    std::vector<const char*> environment;
    int null_fd;

    template <class Launcher>
    boost::system::error_code on_setup(Launcher& launcher, const boost::filesystem::path&, const char* const*&) {
        launcher.env = environment.data();
        launcher.fd_whitelist.insert(launcher.fd_whitelist.end(), launch.leaked_fds.begin(), launch.leaked_fds.end());
        return {};
    }

    // In the child, between fork and exec.
    template <class Launcher>
    boost::system::error_code on_exec_setup(Launcher&, const boost::filesystem::path&, const char* const*&) {
        const int sources[] = {launch.stdin_fd, launch.stdout_fd, launch.stderr_fd};
        for (int target = 0; target < 3; ++target)
            if (::dup2(sources[target] < 0 ? null_fd : sources[target], target) < 0) return last_error();
        if (launch.session == Session::controlling_terminal && (::setsid() < 0 || ::ioctl(0, TIOCSCTTY, 0) < 0))
            return last_error();
        // Descriptors that the test runner left open must not reach the child either.
        ::close_range(3, ~0U, CLOSE_RANGE_CLOEXEC);
        for (const int leaked : launch.leaked_fds)
            if (::dup2(null_fd, leaked) < 0) return last_error();
        for (const int number : launch.ignored_signals) ::signal(number, SIG_IGN);
        sigset_t blocked;
        ::sigemptyset(&blocked);
        for (const int number : launch.blocked_signals) ::sigaddset(&blocked, number);
        ::sigprocmask(SIG_SETMASK, &blocked, nullptr);
        rlimit limit{};
        ::getrlimit(RLIMIT_NOFILE, &limit);
        if (launch.open_files) limit.rlim_cur = *launch.open_files;
        return ::setrlimit(RLIMIT_NOFILE, &limit) == 0 ? boost::system::error_code{} : last_error();
    }

    static boost::system::error_code last_error() { return {errno, boost::system::system_category()}; }
};

std::string key_of(std::string_view assignment) { return std::string(assignment.substr(0, assignment.find('=') + 1)); }

std::vector<const char*> merged_environment(const Launch& launch) {
    std::vector<const char*> merged;
    for (char** entry = environ; *entry != nullptr; ++entry) {
        const std::string key = key_of(*entry);
        if (std::ranges::none_of(launch.environment, [&](const std::string& own) { return own.starts_with(key); }))
            merged.push_back(*entry);
    }
    for (const std::string& own : launch.environment) merged.push_back(own.c_str());
    merged.push_back(nullptr);
    return merged;
}

ExitStatus to_status(const siginfo_t& info) {
    if (info.si_code == CLD_EXITED) return ExitedWith{info.si_status};
    return KilledBy{info.si_status, info.si_code == CLD_DUMPED};
}

std::vector<pid_t> leaked_processes() {
    std::vector<pid_t> found = children_of(::getpid());
    std::erase_if(found, [](pid_t pid) { return known_children().contains(pid); });
    return found;
}

}  // namespace

ChildProcess::ChildProcess(const Launch& launch) {
    const int null_fd = ::open("/dev/null", O_RDWR | O_CLOEXEC);
    boost::asio::io_context context;
    process_v2::process process(context, launch.program, launch.arguments,
                                Initializer{launch, merged_environment(launch), null_fd});
    ::close(null_fd);
    pid_ = process.id();
    pid_fd_ = static_cast<int>(::syscall(SYS_pidfd_open, pid_, 0));  // always close-on-exec
    process.detach();
    if (pid_fd_ < 0) throw errno_exception("cannot open a pidfd");
    known_children().insert(pid_);
}

ChildProcess::~ChildProcess() {
    if (!status_) {
        signal(SIGKILL);
        reap(test_timeout);
    }
    ::close(pid_fd_);
}

void ChildProcess::signal(int number) const { ::syscall(SYS_pidfd_send_signal, pid_fd_, number, nullptr, 0); }

bool ChildProcess::reap(Duration deadline) {
    if (status_) return true;
    pollfd ready{.fd = pid_fd_, .events = POLLIN, .revents = 0};
    const auto milliseconds = std::chrono::ceil<std::chrono::milliseconds>(deadline).count();
    if (::poll(&ready, 1, static_cast<int>(milliseconds)) != 1) return false;
    siginfo_t info{};
    ::waitid(P_PIDFD, static_cast<id_t>(pid_fd_), &info, WEXITED);
    known_children().erase(pid_);
    status_ = to_status(info);
    return true;
}

ExitStatus ChildProcess::wait(Duration deadline) {
    if (!reap(deadline)) throw std::runtime_error(command_of(pid_) + "did not end in time");
    return *status_;
}

bool ChildProcess::is_running() { return !reap(Duration{0}); }

RunningCommand::RunningCommand(Launch launch) : output_fd_(::memfd_create("output", MFD_CLOEXEC)) {
    launch.stdout_fd = launch.stderr_fd = output_fd_;
    process_.emplace(launch);
}

RunningCommand::~RunningCommand() { ::close(output_fd_); }

CommandResult RunningCommand::wait(Duration deadline) {
    CommandResult result{process_->wait(deadline), {}};
    char bytes[4096];
    ssize_t count = 0;
    off_t offset = 0;
    while ((count = ::pread(output_fd_, bytes, sizeof bytes, offset)) > 0) {
        result.output.append(bytes, static_cast<std::size_t>(count));
        offset += count;
    }
    return result;
}

CommandResult run_command(Launch launch, Duration deadline) { return RunningCommand(std::move(launch)).wait(deadline); }

void become_subreaper() { ::prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0); }

std::vector<std::string> describe_leaked_processes() {
    std::vector<std::string> texts;
    for (const pid_t pid : leaked_processes())
        texts.push_back(std::to_string(pid) + " (" + command_of(pid) + ") " + state_of(pid));
    return texts;
}

void kill_leaked_processes() {
    // A killed process may leave its children to this one.
    for (std::vector<pid_t> found = leaked_processes(); !found.empty(); found = leaked_processes()) {
        for (const pid_t pid : found) ::kill(pid, SIGKILL);  // an unreaped child of this process: its pid is not reused
        for (const pid_t pid : found) ::waitpid(pid, nullptr, 0);
    }
}

}  // namespace holdfast::test
