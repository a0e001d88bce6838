#include "os/launcher.hpp"

#include <fcntl.h>
#include <sched.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <csignal>
#include <optional>
#include <string_view>

#include "base/exit_status.hpp"
#include "os/environment.hpp"
#include "os/launch_child.hpp"

// libc's clone(2) under its internal name: ThreadSanitizer intercepts clone() and takes every CLONE_VM child for a
// fork, after which it forbids the process to start threads.
extern "C" int __clone(int (*function)(void*), void* stack, int flags, void* argument, ...) noexcept;

namespace holdfast::os {
namespace {

constexpr std::size_t stack_size = 64 << 10;
constexpr std::size_t guard_size = 16 << 10;  // at least one page on every architecture
constexpr std::string_view listen_pid = "LISTEN_PID=";
constexpr std::string_view watchdog_pid = "WATCHDOG_PID=";
constexpr std::string_view room_for_a_pid = "0123456789";

// Blocks all signals, including those that libc reserves for itself and excludes from signal sets: no signal handler
// may run in the child, because it shares our memory.
class AllSignalsBlocked {
  public:
    AllSignalsBlocked() noexcept {
        const std::uint64_t all = ~std::uint64_t{0};
        ::syscall(SYS_rt_sigprocmask, SIG_SETMASK, &all, &former_, sizeof all);
    }
    ~AllSignalsBlocked() { ::syscall(SYS_rt_sigprocmask, SIG_SETMASK, &former_, nullptr, sizeof former_); }
    AllSignalsBlocked(const AllSignalsBlocked&) = delete;
    AllSignalsBlocked& operator=(const AllSignalsBlocked&) = delete;

  private:
    std::uint64_t former_ = 0;
};

std::vector<char*> pointers_to(std::vector<std::string>& strings) {
    std::vector<char*> pointers;
    pointers.reserve(strings.size() + 1);
    for (std::string& string : strings) pointers.push_back(string.data());
    pointers.push_back(nullptr);
    return pointers;
}

std::string joined(const std::vector<std::string>& names) {
    std::string text;
    for (const std::string& name : names) text.append(text.empty() ? 0 : 1, ':').append(name);
    return text;
}

// Owns everything that a ChildPlan points to.
class PreparedLaunch {
  public:
    PreparedLaunch(const LaunchSpec& spec, const LaunchPlan& plan, int null_device_fd, pid_t& pid, const int& given_up)
        : arguments_(spec.argv), groups_(spec.credentials ? spec.credentials->groups : std::vector<gid_t>{}) {
        prepare_environment(spec, plan);
        prepare_moves(spec, plan, null_device_fd);
        for (const ResourceLimit& limit : spec.limits) limits_.push_back({limit.resource, {limit.soft, limit.hard}});
        argument_pointers_ = pointers_to(arguments_);
        environment_pointers_ = pointers_to(environment_);
        fill(spec);
        child_.pid = &pid;
        child_.given_up = &given_up;
    }
    PreparedLaunch(const PreparedLaunch&) = delete;
    PreparedLaunch& operator=(const PreparedLaunch&) = delete;

    ChildPlan& child() { return child_; }

  private:
    void prepare_environment(const LaunchSpec& spec, const LaunchPlan& plan) {
        Environment environment;
        for (const std::string& entry : spec.environment) environment.set(entry);
        for (const std::string& entry : plan.environment) environment.set(entry);
        if (!plan.listener_names.empty()) {
            environment.set("LISTEN_FDS", std::to_string(plan.listener_names.size()));
            environment.set("LISTEN_FDNAMES", joined(plan.listener_names));
            environment.set("LISTEN_PID", room_for_a_pid);  // the child writes its pid
        }
        if (plan.watchdog_usec > 0) {
            environment.set("WATCHDOG_USEC", std::to_string(plan.watchdog_usec));
            environment.set("WATCHDOG_PID", room_for_a_pid);
        }
        environment_ = std::move(environment).take();
        for (std::string& entry : environment_) {
            if (!plan.listener_names.empty() && entry.starts_with(listen_pid)) {
                child_.listen_pid = entry.data() + listen_pid.size();
            }
            if (plan.watchdog_usec > 0 && entry.starts_with(watchdog_pid)) {
                child_.watchdog_pid = entry.data() + watchdog_pid.size();
            }
        }
    }

    void prepare_moves(const LaunchSpec& spec, const LaunchPlan& plan, int null_device_fd) {
        if (spec.standard_input == StandardInput::null) moves_.push_back({null_device_fd, STDIN_FILENO});
        if (plan.output_fd >= 0) moves_.push_back({plan.output_fd, STDOUT_FILENO});
        if (plan.error_fd >= 0) moves_.push_back({plan.error_fd, STDERR_FILENO});
        int target = STDERR_FILENO;
        for (const int fd : plan.inherited_fds) moves_.push_back({fd, ++target});
        child_.first_closed_fd = target + 1;
    }

    void fill(const LaunchSpec& spec) {
        const ExecMethod method = choose_exec_method(spec.executable, spec.directory_fd());
        child_.path = (method == ExecMethod::real_path ? spec.executable.real_path : spec.executable.path).c_str();
        child_.executable_fd = method == ExecMethod::descriptor ? spec.executable.file.get() : -1;
        child_.argv = argument_pointers_.data();
        child_.environment = environment_pointers_.data();
        // Without --chdir the worker inherits the current directory: entering it again would require that the worker's
        // user has search permission.
        child_.directory_fd = spec.directory_name.empty() ? -1 : spec.directory.get();
        child_.moves = moves_.data();
        child_.move_count = static_cast<int>(moves_.size());
        child_.limits = limits_.data();
        child_.limit_count = static_cast<int>(limits_.size());
        if (spec.umask) child_.umask = static_cast<int>(*spec.umask);
        if (spec.privileges == Privileges::no_new) child_.new_privileges = ChildPlan::NewPrivileges::forbid;
        if (!spec.credentials) return;
        child_.identity = ChildPlan::Identity::change;
        child_.uid = spec.credentials->uid;
        child_.gid = spec.credentials->gid;
        child_.groups = groups_.data();
        child_.group_count = static_cast<int>(groups_.size());
    }

    std::vector<std::string> arguments_;
    std::vector<std::string> environment_;
    std::vector<gid_t> groups_;
    std::vector<DescriptorMove> moves_;
    std::vector<ChildLimit> limits_;
    std::vector<char*> argument_pointers_;
    std::vector<char*> environment_pointers_;
    ChildPlan child_;
};

std::string execute_failure_stage(const LaunchSpec& spec, int error_number) {
    const Executable& executable = spec.executable;
    const std::string stage = "execute " + executable.path;
    // ENOENT can also mean that the interpreter is missing; the file itself is known to exist.
    if (error_number != ENOENT || !is_unchanged(executable, spec.directory_fd())) return stage;
    if (executable.interpreter.empty()) return stage + " with the dynamic loader that it names";
    return stage + " with its interpreter " + executable.interpreter;
}

std::string failure_stage(const ChildPlan& child, const LaunchSpec& spec) {
    switch (child.failed_stage) {
        case ChildStage::process_group:
            return "create a process group";
        case ChildStage::descriptors:
            return "pass descriptors to the worker";
        case ChildStage::limit:
            return "set the limit " + spec.limits[static_cast<std::size_t>(child.failed_limit)].name;
        case ChildStage::groups:
            return "set the supplementary groups of user " + std::to_string(child.uid);
        case ChildStage::group:
            return "set the group id " + std::to_string(child.gid);
        case ChildStage::user:
            return "set the user id " + std::to_string(child.uid);
        case ChildStage::directory:
            return "change directory to " + spec.directory_name;
        case ChildStage::privileges:
            return "set no_new_privs";
        case ChildStage::none:
        case ChildStage::execute:
            break;
    }
    return execute_failure_stage(spec, child.error_number);
}

// Reaps the child if it ended before exec; returns nullopt if it has executed. Before exec the child has no exit
// signal, so __WCLONE matches it; exec sets the exit signal to SIGCHLD, and __WCLONE no longer does. The call therefore
// returns immediately for a child that has executed, and waits for the end of one that has not.
std::optional<siginfo_t> reap_unexecuted(int pidfd) {
    siginfo_t info = {};
    for (;;) {
        if (::waitid(P_PIDFD, static_cast<id_t>(pidfd), &info, WEXITED | static_cast<int>(__WCLONE)) == 0) return info;
        if (errno != EINTR) return std::nullopt;
    }
}

}  // namespace

Launcher::~Launcher() {
    if (stack_ != nullptr) ::munmap(stack_, guard_size + stack_size);
}

std::optional<LaunchFailure> Launcher::prepare() {
    if (stack_ == nullptr) {
        void* memory = ::mmap(nullptr, guard_size + stack_size, PROT_READ | PROT_WRITE,
                              MAP_PRIVATE | MAP_ANONYMOUS | MAP_STACK, -1, 0);
        if (memory == MAP_FAILED) return LaunchFailure{"allocate the stack for the launch", errno};
        stack_ = memory;
        if (::mprotect(memory, guard_size, PROT_NONE) != 0)
            return LaunchFailure{"protect the stack for the launch", errno};
    }
    if (!null_device_) null_device_.reset(::open("/dev/null", O_RDWR | O_CLOEXEC));
    if (!null_device_) return LaunchFailure{"open /dev/null", errno};
    return std::nullopt;
}

std::variant<Leader, LaunchFailure> Launcher::launch(const LaunchSpec& spec, const LaunchPlan& plan) {
    if (auto failure = prepare()) return std::move(*failure);
    PreparedLaunch prepared{spec, plan, null_device_.get(), child_in_launch_, given_up_};
    ChildPlan& child = prepared.child();
    pid_t pid = -1;
    int clone_errno = 0;
    {
        const AllSignalsBlocked blocked;
        char* top = static_cast<char*>(stack_) + guard_size + stack_size;
        pid = ::__clone(&run_child, top, CLONE_VM | CLONE_VFORK | CLONE_PIDFD, &child, &child_pidfd_);
        clone_errno = errno;
    }
    if (pid < 0) return LaunchFailure{"start a process", clone_errno};
    store_child(pid);
    const auto unexecuted = reap_unexecuted(child_.pidfd());
    Process started = release_child();
    if (!unexecuted) return Leader{std::move(started)};
    if (child.failed_stage != ChildStage::none) return LaunchFailure{failure_stage(child, spec), child.error_number};
    if (is_given_up()) return LaunchFailure{"execute " + spec.executable.path, ECANCELED};
    return LaunchFailure{"execute " + spec.executable.path + ": it was killed by " +
                             signal_name(unexecuted->si_status) + " before it executed the program",
                         0};
}

void Launcher::give_up() {
    __atomic_store_n(&given_up_, 1, __ATOMIC_SEQ_CST);
    const std::lock_guard lock(mutex_);
    const pid_t pid = __atomic_load_n(&child_in_launch_, __ATOMIC_SEQ_CST);
    if (pid == 0) return;
    if (!child_) child_ = Process{pid, UniqueFd{child_pidfd_}};
    static_cast<void>(kill_now(child_));
}

// Does nothing if give_up() has already stored it.
void Launcher::store_child(pid_t pid) {
    const std::lock_guard lock(mutex_);
    if (!child_) child_ = Process{pid, UniqueFd{child_pidfd_}};
}

Process Launcher::release_child() {
    const std::lock_guard lock(mutex_);
    __atomic_store_n(&child_in_launch_, 0, __ATOMIC_SEQ_CST);
    return std::move(child_);
}

}  // namespace holdfast::os
