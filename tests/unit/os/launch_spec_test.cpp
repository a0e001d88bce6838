#include "os/launch_spec.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>

#include "launch_support.hpp"
#include "os/environment.hpp"

namespace holdfast::os {
namespace {

using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::StartsWith;
using ::testing::UnorderedElementsAre;

std::vector<std::string> environment_with(const LaunchOptions& options, std::vector<std::string> base) {
    auto spec = resolve(options, base);
    EXPECT_TRUE(std::holds_alternative<LaunchSpec>(spec)) << describe(std::get<LaunchFailure>(spec));
    return std::get<LaunchSpec>(std::move(spec)).environment;
}

TEST(LaunchSpec, RemovesTheSupervisorsOwnVariablesFromTheEnvironment) {
    EXPECT_THAT(
        environment_with(shell("exit"), {"PATH=/bin", "LISTEN_FDS=2", "LISTEN_PID=7", "NOTIFY_SOCKET=/run/x",
                                         "HOLDFAST_SLOT=1", "WATCHDOG_USEC=5", "NOTIFY_SOCKETS=mine", "LISTENER=mine"}),
        UnorderedElementsAre("PATH=/bin", "NOTIFY_SOCKETS=mine", "LISTENER=mine"));
}

// They are settings of the operator for the SDK and not addressed to the supervisor.
TEST(LaunchSpec, KeepsTheVariablesOfTheSdk) {
    EXPECT_THAT(environment_with(shell("exit"), {"HOLDFAST_HEALTH=:9901", "HOLDFAST_KEEP_ALIVE_MIN=2s",
                                                 "HOLDFAST_HEALTHY=no", "HOLDFAST_WORKER=1.0"}),
                UnorderedElementsAre("HOLDFAST_HEALTH=:9901", "HOLDFAST_KEEP_ALIVE_MIN=2s"));
}

TEST(LaunchSpec, LaterEntriesOverrideEarlierOnes) {
    const TemporaryDirectory directory;
    LaunchOptions options = shell("exit");
    options.env_files = {directory.write("first", "# a comment\n\nA=file\n  # another\r\nB=one=two \r\nC=\n"),
                         directory.write("second", "B=\"second\"")};
    options.env = {"A=option"};
    EXPECT_THAT(environment_with(options, {"A=base", "D=base"}),
                UnorderedElementsAre("A=option", "B=\"second\"", "C=", "D=base"));
}

TEST(LaunchSpec, EnvironmentFileOverridesTheUsersHome) {
    const TemporaryDirectory directory;
    LaunchOptions options = shell("exit");
    options.user = std::to_string(::geteuid());
    options.env_files = {directory.write("env", "HOME=/elsewhere\n")};
    const auto environment = environment_with(options, {"HOME=/base", "USER=somebody"});
    EXPECT_THAT(environment, Contains("HOME=/elsewhere"));
    EXPECT_THAT(environment, ::testing::Not(Contains("USER=somebody")));
}

TEST(LaunchSpec, NamesFileAndLineOfAMalformedEntry) {
    const TemporaryDirectory directory;
    LaunchOptions options = shell("exit");
    const std::string no_value = directory.write("no-value", "A=1\n\nnonsense\n");
    options.env_files = {no_value};
    EXPECT_EQ(failure_text(options), "cannot read the environment file " + no_value + ":3: expected KEY=VALUE");
    const std::string exporting = directory.write("exporting", "export A=1\n");
    options.env_files = {exporting};
    EXPECT_THAT(failure_text(options), StartsWith("cannot read the environment file " + exporting + ":1: expected"));
    options.env_files = {directory.write("nul", std::string("A=1\0\n", 5))};
    EXPECT_THAT(failure_text(options), ::testing::EndsWith("nul:1: it contains a NUL byte"));
}

TEST(LaunchSpec, NamesAnEnvironmentFileThatCannotBeRead) {
    const TemporaryDirectory directory;
    LaunchOptions options = shell("exit");
    options.env_files = {directory.path() + "/none"};
    EXPECT_EQ(failure_text(options),
              "cannot read the environment file " + options.env_files[0] + ": No such file or directory");
    options.env_files = {directory.path()};
    EXPECT_EQ(failure_text(options), "cannot read the environment file " + directory.path() + ": Is a directory");
}

TEST(LaunchSpec, SearchesTheWorkersPath) {
    const TemporaryDirectory directory;
    const std::string here = directory.write("holdfast-tool", "#!/bin/sh\necho found $0\n", 0755);
    LaunchOptions options = command({"holdfast-tool"});
    EXPECT_EQ(failure_text(options), "cannot execute holdfast-tool: No such file or directory");
    options.env = {"PATH=/no/such:" + directory.path()};
    EXPECT_EQ(output_of(options), "found " + here + "\n");
}

TEST(LaunchSpec, SkipsFilesWithoutExecutePermission) {
    const TemporaryDirectory closed, open;
    closed.write("holdfast-tool", "#!/bin/sh\necho wrong\n", 0644);
    LaunchOptions options = command({"holdfast-tool"});
    options.env = {"PATH=" + closed.path()};
    EXPECT_EQ(failure_text(options), "cannot execute holdfast-tool: Permission denied");
    open.write("holdfast-tool", "#!/bin/sh\necho right\n", 0755);
    options.env = {"PATH=" + closed.path() + ":" + open.path()};
    EXPECT_EQ(output_of(options), "right\n");
}

TEST(LaunchSpec, FindsARelativeCommandInTheDirectory) {
    const TemporaryDirectory directory;
    directory.write("srv", "#!/bin/sh\necho $0\n", 0755);
    LaunchOptions options = command({"./srv"});
    options.chdir = directory.path();
    EXPECT_EQ(output_of(options), "./srv\n");
    options.command = {"srv"};
    options.env = {"PATH="};  // an empty part means the directory itself
    EXPECT_EQ(output_of(options), "./srv\n");
}

TEST(LaunchSpec, DoesNotChangeTheIdentityIfItIsOursAlready) {
    LaunchOptions options = shell("exit");
    const LaunchSpec unasked = resolved(options);
    EXPECT_FALSE(unasked.credentials);
    Credentials own{::getuid(), ::getgid(), {}};
    own.groups.resize(64);
    own.groups.resize(static_cast<std::size_t>(::getgroups(64, own.groups.data())));
    EXPECT_TRUE(are_own(own));
    own.groups.push_back(54321);
    EXPECT_FALSE(are_own(own));
}

}  // namespace
}  // namespace holdfast::os
