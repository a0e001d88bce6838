#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <filesystem>
#include <thread>

#include "launch_support.hpp"
#include "os/process_table.hpp"

namespace holdfast::os {
namespace {

using ::testing::HasSubstr;
using ::testing::IsEmpty;

class LaunchFailureTest : public ::testing::Test {
  protected:
    void TearDown() override { EXPECT_THAT(children_of(::getpid()).value(), IsEmpty()) << "a zombie was left behind"; }
    TemporaryDirectory directory_;
};

TEST_F(LaunchFailureTest, NamesAMissingProgram) {
    LaunchOptions options = command({"./srv"});
    options.chdir = directory_.path();
    EXPECT_EQ(failure_text(options), "cannot execute ./srv: No such file or directory");
    EXPECT_EQ(failure_text(command({"no-such-program-at-all"})),
              "cannot execute no-such-program-at-all: No such file or directory");
}

TEST_F(LaunchFailureTest, NamesAProgramWithoutExecutePermission) {
    const std::string path = directory_.write("plain", "text\n");
    EXPECT_EQ(failure_text(command({path})), "cannot execute " + path + ": Permission denied");
    EXPECT_EQ(failure_text(command({directory_.path()})),
              "cannot execute " + directory_.path() + ": Permission denied");
}

TEST_F(LaunchFailureTest, NamesAFileThatIsNotAProgram) {
    const std::string path = directory_.write("text", "neither a script nor a program\n", 0755);
    EXPECT_EQ(failure_text(command({path})), "cannot execute " + path + ": Exec format error");
}

TEST_F(LaunchFailureTest, NamesAMissingInterpreter) {
    const std::string path = directory_.write("script", "#! /no/such/interpreter -x\n", 0755);
    EXPECT_EQ(failure_text(command({path})),
              "cannot execute " + path + " with its interpreter /no/such/interpreter: No such file or directory");
}

TEST_F(LaunchFailureTest, NamesTheDirectory) {
    LaunchOptions options = shell("exit 0");
    options.chdir = directory_.path() + "/none";
    EXPECT_EQ(failure_text(options), "cannot change directory to " + options.chdir + ": No such file or directory");
    options.chdir = directory_.write("file", "");
    EXPECT_EQ(failure_text(options), "cannot change directory to " + options.chdir + ": Not a directory");
}

TEST_F(LaunchFailureTest, NamesADirectoryThatTheUserMayNotEnter) {
    if (::geteuid() != 0) GTEST_SKIP() << "only root may change the user";
    ASSERT_EQ(::chmod(directory_.path().c_str(), 0700), 0);
    LaunchOptions options = shell("exit 0");
    options.chdir = directory_.path();
    options.user = "nobody";
    EXPECT_EQ(failure_text(options), "cannot change directory to " + directory_.path() + ": Permission denied");
}

TEST_F(LaunchFailureTest, NamesTheLimit) {
    LaunchOptions options = shell("exit 0");
    options.limits = {{"core", RLIMIT_CORE, 0, 0}, {"nofile", RLIMIT_NOFILE, 20, 10}};
    EXPECT_EQ(failure_text(options), "cannot set the limit nofile: Invalid argument");
    EXPECT_EQ(failure_text(shell("exit 0")), "");
}

TEST_F(LaunchFailureTest, NamesUserAndGroup) {
    LaunchOptions options = shell("exit 0");
    options.user = "no-such-user";
    EXPECT_EQ(failure_text(options), "cannot find the user no-such-user: there is no such user");
    options.user = "";
    options.group = "no-such-group";
    EXPECT_EQ(failure_text(options), "cannot find the group no-such-group: there is no such group");
    options.group = "";
    options.user = "54321";
    EXPECT_THAT(failure_text(options), HasSubstr("specify --group as well"));
}

TEST_F(LaunchFailureTest, ReportsClosedDescriptors) {
    const LaunchSpec spec = resolved(shell("exit 0"));
    LaunchPlan plan;
    plan.inherited_fds = {1000};
    ASSERT_LT(::fcntl(1000, F_GETFD), 0);
    Launcher launcher;
    const auto outcome = launcher.launch(spec, plan);
    ASSERT_TRUE(std::holds_alternative<LaunchFailure>(outcome));
    EXPECT_EQ(describe(std::get<LaunchFailure>(outcome)), "cannot pass descriptors to the worker: Bad file descriptor");
}

TEST_F(LaunchFailureTest, ReportsAFailedChangeOfCredentials) {
    if (::geteuid() != 0) GTEST_SKIP() << "only root may change the user";
    // Sets more supplementary groups than the kernel allows, because a missing privilege cannot be tested as root.
    LaunchOptions options = shell("exit 0");
    LaunchSpec spec = resolved(options);
    spec.credentials = Credentials{static_cast<uid_t>(-2), static_cast<gid_t>(-2), std::vector<gid_t>(70000, 1)};
    Launcher launcher;
    const auto outcome = launcher.launch(spec, {});
    ASSERT_TRUE(std::holds_alternative<LaunchFailure>(outcome));
    EXPECT_THAT(describe(std::get<LaunchFailure>(outcome)), HasSubstr("cannot set the supplementary groups of user"));
}

class OpenExecutable : public LaunchFailureTest {
  protected:
    std::string copy_of(const char* program) const {
        const std::string path = directory_.path() + "/program";
        std::filesystem::copy_file(program, path);
        return path;
    }
};

TEST_F(OpenExecutable, RunsAfterItWasDeleted) {
    const std::string path = copy_of("/bin/echo");
    const LaunchSpec spec = resolved(command({path, "still", "here"}));
    ASSERT_TRUE(std::filesystem::remove(path));
    Launcher launcher;
    Started worker = start(launcher, spec);
    EXPECT_EQ(read_all(worker.output), "still here\n");
    EXPECT_EQ(wait_and_reap(worker.leader), ExitStatus(ExitedWith{0}));
}

TEST_F(OpenExecutable, RunsAfterAnotherFileGotItsPath) {
    const std::string path = copy_of("/bin/echo");
    const LaunchSpec spec = resolved(command({path, "the former"}));
    const std::string other = directory_.write("other", "#!/bin/sh\necho the new one\n", 0755);
    std::filesystem::rename(other, path);
    Launcher launcher;
    Started worker = start(launcher, spec);
    EXPECT_EQ(read_all(worker.output), "the former\n");
    wait_and_reap(worker.leader);
}

TEST_F(OpenExecutable, RunsByItsPathWhileItIsUnchanged) {
    const std::string path = copy_of("/bin/readlink");
    Started worker = start(command({path, "/proc/self/exe"}));
    EXPECT_EQ(read_all(worker.output), path + "\n");
    wait_and_reap(worker.leader);
}

TEST_F(OpenExecutable, IsFoundInTheOpenDirectoryAfterItWasRenamed) {
    const std::string former = directory_.path() + "/former";
    ASSERT_TRUE(std::filesystem::create_directory(former));
    const std::string script = directory_.write("former/script", "#!/bin/sh\necho $0; pwd -P\n", 0755);
    LaunchOptions options = command({"./script"});
    options.chdir = former;
    const LaunchSpec spec = resolved(options);
    const std::string renamed = directory_.path() + "/renamed";
    std::filesystem::rename(former, renamed);
    Launcher launcher;
    Started worker = start(launcher, spec);
    EXPECT_EQ(read_all(worker.output), "./script\n" + renamed + "\n");
    wait_and_reap(worker.leader);
}

TEST_F(OpenExecutable, ThatIsAScriptRunsByItsPathEvenIfItWasReplaced) {
    const std::string path = directory_.write("script", "#!/bin/sh\necho former\n", 0755);
    const LaunchSpec spec = resolved(command({path}));
    directory_.write("next", "#!/bin/sh\necho next\n", 0755);
    std::filesystem::rename(directory_.path() + "/next", path);
    Launcher launcher;
    Started worker = start(launcher, spec);
    EXPECT_EQ(read_all(worker.output), "next\n");
    wait_and_reap(worker.leader);
}

}  // namespace
}  // namespace holdfast::os
