#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/eventfd.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <atomic>
#include <csignal>
#include <memory>
#include <thread>

#include "launch_support.hpp"
#include "os/process_table.hpp"

namespace holdfast::os {
namespace {

using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;
using ::testing::StartsWith;

LaunchOptions probe() { return command({launch_probe()}); }

// Each pipe has its own inode, so the link identifies it.
std::string link_of(const UniqueFd& pipe) {
    struct stat status = {};
    ::fstat(pipe.get(), &status);
    return "pipe:[" + std::to_string(status.st_ino) + "]";
}

std::string fd_target(const std::string& output, int fd) {
    for (const std::string& line : lines_of(output, "fd")) {
        const std::string number = std::to_string(fd) + " ";
        if (line.starts_with(number)) return line.substr(number.size());
    }
    return "closed";
}

TEST(LaunchedWorker, HasItsDescriptorsAndNoOthers) {
    // Descriptors of ours that a launcher without close_range() would leak.
    const UniqueFd low{::eventfd(0, 0)};
    const UniqueFd high{::fcntl(low.get(), F_DUPFD, 700)};
    const PipeEnds first = make_pipe(), second = make_pipe();
    LaunchPlan plan;
    plan.inherited_fds = {second.read.get(), first.read.get()};
    const std::string output = output_of(probe(), plan);
    EXPECT_EQ(lines_of(output, "fd").size(), 5U) << output;
    EXPECT_EQ(fd_target(output, 0), "/dev/null");
    EXPECT_THAT(fd_target(output, 1), StartsWith("pipe:"));
    EXPECT_EQ(fd_target(output, 3), link_of(second.read));
    EXPECT_EQ(fd_target(output, 4), link_of(first.read));
}

TEST(LaunchedWorker, GetsDescriptorsWhoseNumbersCollideWithTheTargets) {
    // Each descriptor has the number that another one must get.
    const PipeEnds pipes[3] = {make_pipe(), make_pipe(), make_pipe()};
    std::array<UniqueFd, 3> ring;
    std::array<UniqueFd, 3> former;
    for (int i = 0; i < 3; ++i) former[static_cast<std::size_t>(i)].reset(::fcntl(3 + i, F_DUPFD_CLOEXEC, 100));
    std::array<int, 3> lifted{};
    for (std::size_t i = 0; i < 3; ++i) lifted[i] = ::fcntl(pipes[i].read.get(), F_DUPFD_CLOEXEC, 200);
    LaunchPlan plan;
    plan.output_fd = -1;
    PipeEnds output_pipe = make_pipe();
    const int output_copy = ::fcntl(output_pipe.write.get(), F_DUPFD_CLOEXEC, 300);
    output_pipe.write.reset();
    const int reader = ::fcntl(output_pipe.read.get(), F_DUPFD_CLOEXEC, 300);
    const LaunchSpec spec = resolved(probe());
    const std::array<std::string, 3> marks{link_of(pipes[0].read), link_of(pipes[1].read), link_of(pipes[2].read)};
    for (int i = 0; i < 3; ++i) ASSERT_EQ(::dup3(lifted[static_cast<std::size_t>(i)], 3 + i, O_CLOEXEC), 3 + i);
    // 4, 5, 3 become 3, 4, 5.
    plan.inherited_fds = {4, 5, 3};
    plan.output_fd = output_copy;
    Launcher launcher;
    auto outcome = launcher.launch(spec, plan);
    for (int i = 0; i < 3; ++i) {
        const int back = former[static_cast<std::size_t>(i)].get();
        if (back >= 0) {
            ::dup3(back, 3 + i, O_CLOEXEC);
        } else {
            ::close(3 + i);
        }
        ::close(lifted[static_cast<std::size_t>(i)]);
    }
    ::close(output_copy);
    ASSERT_TRUE(std::holds_alternative<Leader>(outcome)) << describe(std::get<LaunchFailure>(outcome));
    const std::string output = read_all(UniqueFd{reader});
    wait_and_reap(std::get<Leader>(outcome));
    EXPECT_EQ(fd_target(output, 3), marks[1]) << output;
    EXPECT_EQ(fd_target(output, 4), marks[2]) << output;
    EXPECT_EQ(fd_target(output, 5), marks[0]) << output;
    EXPECT_EQ(fd_target(output, 6), "closed") << output;
}

TEST(LaunchedWorker, HasDefaultDispositionsAndAnEmptyMask) {
    sigset_t blocked;
    sigset_t former;
    ::sigemptyset(&blocked);
    ::sigaddset(&blocked, SIGTERM);
    ::sigaddset(&blocked, SIGCHLD);
    ASSERT_EQ(::pthread_sigmask(SIG_BLOCK, &blocked, &former), 0);
    const auto former_pipe = std::signal(SIGPIPE, SIG_IGN);
    const std::string output = output_of(probe());
    std::signal(SIGPIPE, former_pipe);
    sigset_t now;
    ASSERT_EQ(::pthread_sigmask(SIG_SETMASK, &former, &now), 0);
    EXPECT_EQ(status_field(output, "SigBlk"), "0000000000000000");
    EXPECT_EQ(status_field(output, "SigIgn"), "0000000000000000");
    EXPECT_EQ(status_field(output, "SigCgt"), "0000000000000000");
    EXPECT_TRUE(::sigismember(&now, SIGTERM)) << "the launcher changed its own thread's mask";
    EXPECT_FALSE(::sigismember(&now, SIGUSR1)) << "the launcher changed its own thread's mask";
}

TEST(LaunchedWorker, GetsItsListenersAndItsOwnPidInTheEnvironment) {
    const PipeEnds listener = make_pipe(), control = make_pipe();
    LaunchPlan plan;
    plan.inherited_fds = {listener.read.get(), listener.write.get(), control.read.get()};
    plan.listener_names = {"http", "_8081"};
    plan.environment = {"HOLDFAST_CONTROL_FD=5", "LANG=en"};
    Started worker = start(probe(), plan);
    const pid_t pid = worker.leader.pid();
    const std::string output = read_all(worker.output);
    EXPECT_EQ(wait_and_reap(worker.leader), ExitStatus(ExitedWith{0}));
    const auto environment = lines_of(output, "env");
    EXPECT_THAT(environment, Contains("LISTEN_FDS=2"));
    EXPECT_THAT(environment, Contains("LISTEN_FDNAMES=http:_8081"));
    EXPECT_THAT(environment, Contains("LISTEN_PID=" + std::to_string(pid)));
    EXPECT_THAT(environment, Contains("HOLDFAST_CONTROL_FD=5"));
    EXPECT_THAT(environment, Contains("LANG=en"));
    EXPECT_THAT(environment, Not(Contains("LANG=C")));
    EXPECT_THAT(lines_of(output, "pid"), ElementsAre(std::to_string(pid) + " group " + std::to_string(pid)));
}

TEST(LaunchedWorker, GetsNoListenVariablesWithoutListeners) {
    const auto environment = lines_of(output_of(probe()), "env");
    EXPECT_THAT(environment, Not(Contains(StartsWith("LISTEN_"))));
}

TEST(LaunchedWorker, GetsDirectoryUmaskLimitsAndNoNewPrivileges) {
    const TemporaryDirectory directory;
    LaunchOptions options = probe();
    options.chdir = directory.path();
    options.umask = 027;
    options.limits = {{"nofile", RLIMIT_NOFILE, 64, 128}};
    options.privileges = Privileges::no_new;
    const std::string output = output_of(options);
    EXPECT_THAT(lines_of(output, "cwd"), ElementsAre(directory.path()));
    EXPECT_EQ(status_field(output, "Umask"), "0027");
    EXPECT_EQ(status_field(output, "NoNewPrivs"), "1");
    EXPECT_THAT(lines_of(output, "nofile"), ElementsAre("64:128"));
    EXPECT_EQ(status_field(output_of(probe()), "NoNewPrivs"), "0");
}

TEST(LaunchedWorker, GetsAllDescriptorsEvenIfItsLimitIsLower) {
    const PipeEnds pipe = make_pipe();
    LaunchOptions options = shell("test -e /dev/fd/10 && echo there");
    options.limits = {{"nofile", RLIMIT_NOFILE, 13, 13}};
    LaunchPlan plan;
    plan.inherited_fds = std::vector<int>(8, pipe.read.get());
    EXPECT_EQ(output_of(options, plan), "there\n");
}

TEST(LaunchedWorker, InheritsStandardInputIfRequested) {
    PipeEnds input = make_pipe();
    const UniqueFd former{::fcntl(STDIN_FILENO, F_DUPFD_CLOEXEC, 10)};
    ASSERT_EQ(::dup2(input.read.get(), STDIN_FILENO), STDIN_FILENO);
    LaunchOptions options = probe();
    options.standard_input = StandardInput::inherit;
    const std::string output = output_of(options);
    if (former) ::dup2(former.get(), STDIN_FILENO);
    EXPECT_EQ(fd_target(output, 0), link_of(input.read));
}

TEST(LaunchedWorker, RunsAsTheConfiguredUser) {
    if (::geteuid() != 0) GTEST_SKIP() << "only root may change the user";
    LaunchOptions options = command({"/bin/sh", "-c", "sed 's/^/status /' /proc/self/status; env | sed 's/^/env /'"});
    options.user = "nobody";
    const std::string output = output_of(options);
    EXPECT_EQ(status_field(output, "Uid"), "65534\t65534\t65534\t65534");
    EXPECT_EQ(status_field(output, "Gid"), "65534\t65534\t65534\t65534");
    EXPECT_THAT(status_field(output, "Groups"), StartsWith("65534"));
    EXPECT_EQ(status_field(output, "CapEff"), "0000000000000000");
    const auto environment = lines_of(output, "env");
    EXPECT_THAT(environment, Contains("USER=nobody"));
    EXPECT_THAT(environment, Contains("LOGNAME=nobody"));
    EXPECT_THAT(environment, Contains(StartsWith("HOME=/nonexistent")));
}

TEST(LaunchedWorker, RunsAsANumericUserWithoutDatabaseEntry) {
    if (::geteuid() != 0) GTEST_SKIP() << "only root may change the user";
    LaunchOptions options = command({"/bin/sh", "-c", "sed 's/^/status /' /proc/self/status"});
    options.user = "54321";
    options.group = "54322";
    const std::string output = output_of(options);
    EXPECT_EQ(status_field(output, "Uid"), "54321\t54321\t54321\t54321");
    EXPECT_EQ(status_field(output, "Gid"), "54322\t54322\t54322\t54322");
    EXPECT_THAT(status_field(output, "Groups"), StartsWith("54322"));
}

TEST(LaunchedWorker, DoesNotChangeTheSupervisorsOwnIdentity) {
    if (::geteuid() != 0) GTEST_SKIP() << "only root may change the user";
    LaunchOptions options = shell("exit 0");
    options.user = "nobody";
    options.chdir = "/";
    const mode_t mask = ::umask(022);
    EXPECT_EQ(failure_text(options), "");
    EXPECT_EQ(::umask(mask), 022U);
    EXPECT_EQ(::geteuid(), 0U);
    EXPECT_NE(std::to_string(::getpgrp()), "0");
}

TEST(Launcher, WorksOnAnotherThreadWhileTheFirstAllocates) {
    std::atomic<bool> over{false};
    std::thread allocating([&] {
        while (!over.load()) std::make_unique<std::string>(512, 'x');
    });
    int good = 0;
    std::thread launch_thread([&] {
        Launcher launcher;
        const LaunchSpec spec = resolved(command({"/bin/true"}));
        LaunchOptions bad_options = command({"/bin/true"});
        bad_options.limits = {{"nofile", RLIMIT_NOFILE, 20, 10}};
        const LaunchSpec bad = resolved(bad_options);
        for (int round = 0; round < 50; ++round) {
            Started worker = start(launcher, spec);
            const bool failed = std::holds_alternative<LaunchFailure>(launcher.launch(bad, {}));
            if (wait_and_reap(worker.leader) == ExitStatus(ExitedWith{0}) && failed) ++good;
        }
    });
    launch_thread.join();
    over = true;
    allocating.join();
    EXPECT_EQ(good, 50);
    EXPECT_THAT(children_of(::getpid()).value(), IsEmpty());
}

TEST(Launcher, LeaksNoDescriptorsAndNoMemory) {
    Launcher launcher;
    const LaunchSpec spec = resolved(command({"/bin/true"}));
    Started first = start(launcher, spec);  // the first launch opens the launcher's own descriptors
    wait_and_reap(first.leader);
    const auto open_descriptors = [] {
        int count = 0;
        for (int fd = 0; fd < 1024; ++fd) count += ::fcntl(fd, F_GETFD) >= 0 ? 1 : 0;
        return count;
    };
    const int before = open_descriptors();
    for (int round = 0; round < 20; ++round) {
        Started worker = start(launcher, spec);
        wait_and_reap(worker.leader);
    }
    EXPECT_EQ(open_descriptors(), before);
}

}  // namespace
}  // namespace holdfast::os
