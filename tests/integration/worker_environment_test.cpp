// The descriptors, signals and environment of a worker, whatever the supervisor itself inherited.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <sys/resource.h>
#include <unistd.h>

#include <csignal>
#include <map>
#include <sstream>

#include "harness.hpp"
#include "proc.hpp"

namespace holdfast::test {
namespace {

using testing::HasSubstr;
using testing::Not;

// The "key: value" and "KEY=value" lines of a worker's output.
std::map<std::string, std::string> facts_of(const std::string& output) {
    std::map<std::string, std::string> facts;
    std::istringstream lines(output);
    for (std::string line; std::getline(lines, line);) {
        const std::size_t end = line.find_first_of(":=");
        if (end == std::string::npos) continue;
        const std::size_t value = line.find_first_not_of(": =\t", end);
        facts[line.substr(0, end)] = value == std::string::npos ? "" : line.substr(value);
    }
    return facts;
}

// A worker that prints its environment on standard output and then becomes ready.
std::vector<std::string> environment_dump_worker(const std::string& more = ":") {
    return shell_worker(
        "env; cat /proc/$$/status; echo umask: $(umask); echo directory: $(pwd); echo pid: $$; "
        "echo files: $(ulimit -n); " +
        more + "; " + notify("READY=1") + "; exec sleep 1000");
}

TEST(WorkerEnvironment, ContainsOnlyTheDescriptorsOfTheWorker) {
    RunOptions options;
    options.options = {"--listen", "web=127.0.0.1:0", "--listen", "unix:@hygiene-" + std::to_string(::getpid())};
    options.command = environment_dump_worker();
    options.leaked_fds = {3, 4, 5, 6, 9, 57};
    SupervisorProcess run(options);
    run.wait_until_serving();
    const auto files = open_files_of(run.wait_for("worker_spawned").pid);
    ASSERT_THAT(files,
                testing::ElementsAre(testing::Pair(0, "/dev/null"), testing::Pair(1, HasSubstr("/output")),
                                     testing::Pair(2, HasSubstr("pipe:")), testing::Pair(3, HasSubstr("socket:")),
                                     testing::Pair(4, HasSubstr("socket:")), testing::Pair(5, HasSubstr("socket:"))));
    auto facts = facts_of(run.worker_output());
    EXPECT_EQ(facts["HOLDFAST_CONTROL_FD"], "5");
    EXPECT_THAT(files.at(5), HasSubstr(facts["HOLDFAST_CONTROL_INODE"]));
    EXPECT_EQ(run.stop(), ExitStatus{ExitedWith{0}});
}

// The supervisor needs descriptors for each worker; a worker that uses select(2) must not get more than it expects.
TEST(WorkerEnvironment, HasTheLimitOfOpenFilesThatTheSupervisorWasStartedWith) {
    RunOptions options;
    options.options = {"--listen", "127.0.0.1:0"};
    options.command = environment_dump_worker();
    options.open_files = 300;
    SupervisorProcess run(options);
    run.wait_until_serving();
    EXPECT_EQ(facts_of(run.worker_output())["files"], "300");
    rlimit own{};
    ASSERT_EQ(::prlimit(run.pid(), RLIMIT_NOFILE, nullptr, &own), 0);
    EXPECT_EQ(own.rlim_cur, own.rlim_max);
    EXPECT_GT(own.rlim_max, 300U);
    EXPECT_EQ(run.stop(), ExitStatus{ExitedWith{0}});
}

TEST(WorkerEnvironment, HasDefaultSignalsWhateverTheSupervisorInherited) {
    RunOptions options;
    options.options = {"--listen", "127.0.0.1:0", "--ready-when", "alive:100ms"};
    options.command = {"/bin/sleep",
                       "1000"};  // no shell, because a shell changes its signal mask while it starts processes
    options.ignored_signals = {SIGPIPE, SIGCHLD, SIGUSR1, SIGTTOU, SIGRTMIN + 3};
    options.blocked_signals = {SIGUSR2, SIGTERM, SIGCHLD, SIGRTMIN + 4};
    SupervisorProcess run(options);
    run.wait_until_serving();
    const pid_t worker = run.wait_for("worker_spawned").pid;
    auto facts = facts_of(status_of(worker));
    EXPECT_EQ(facts["SigBlk"], "0000000000000000");
    EXPECT_EQ(facts["SigIgn"], "0000000000000000");
    EXPECT_EQ(::getpgid(worker), worker);
    EXPECT_EQ(run.stop(), ExitStatus{ExitedWith{0}});
}

TEST(WorkerEnvironment, IsTheSupervisorsWithoutItsOwnActivationVariables) {
    RunOptions options;
    options.options = {"--listen", "web=127.0.0.1:0", "--listen", "127.0.0.1:0"};
    options.command = environment_dump_worker();
    options.environment = {"GREETING=hello", "LISTEN_FDNAMES=old", "WATCHDOG_USEC=1000000000", "WATCHDOG_PID=1",
                           "NOTIFY_SOCKET=/nowhere"};
    SupervisorProcess run(options);
    run.wait_until_serving();
    auto facts = facts_of(run.worker_output());
    EXPECT_EQ(facts["GREETING"], "hello");
    EXPECT_EQ(facts["LISTEN_FDS"], "2");
    EXPECT_EQ(facts["LISTEN_PID"], facts["pid"]);
    std::string second = run.address(1);
    second.replace(second.find(':'), 1, "_");
    EXPECT_THAT(facts["LISTEN_FDNAMES"], testing::StartsWith("web:127.0.0.1_"));
    EXPECT_EQ(facts["HOLDFAST_BOUND_FDS"], "3,4");
    EXPECT_EQ(facts["HOLDFAST_NAME"], "web");
    EXPECT_EQ(facts["HOLDFAST_GENERATION"], "1");
    EXPECT_EQ(facts["HOLDFAST_SLOT"], "0");
    EXPECT_EQ(facts["HOLDFAST_WORKER"], "1.0");
    EXPECT_NE(facts["NOTIFY_SOCKET"], "/nowhere");
    EXPECT_FALSE(facts.contains("WATCHDOG_USEC"));
    EXPECT_FALSE(facts.contains("WATCHDOG_PID"));
    EXPECT_EQ(run.stop(), ExitStatus{ExitedWith{0}});
}

TEST(WorkerEnvironment, IsSetByTheLaunchOptions) {
    const TemporaryDirectory directory;
    RunOptions options;
    options.options = {"--listen",
                       "127.0.0.1:0",
                       "--chdir",
                       directory.path(),
                       "--umask",
                       "027",
                       "--env",
                       "COLOUR=blue",
                       "--limit",
                       "nofile=123:456",
                       "--user",
                       "nobody",
                       "--group",
                       "nogroup",
                       "--env-file",
                       directory.write("env", "SHAPE=round\nCOLOUR=red\n"),
                       "--no-new-privileges"};
    options.command = environment_dump_worker("echo hard: $(ulimit -Hn)");
    SupervisorProcess run(options);
    run.wait_until_serving();
    auto facts = facts_of(run.worker_output());
    EXPECT_EQ(facts["directory"], directory.path());
    EXPECT_EQ(facts["umask"], "0027");
    EXPECT_EQ(facts["COLOUR"], "blue");  // --env takes precedence over the files
    EXPECT_EQ(facts["SHAPE"], "round");
    EXPECT_EQ(facts["files"], "123");
    EXPECT_EQ(facts["hard"], "456");
    EXPECT_EQ(facts["Uid"], "65534\t65534\t65534\t65534");
    EXPECT_EQ(facts["Gid"], "65534\t65534\t65534\t65534");
    EXPECT_EQ(facts["USER"], "nobody");
    EXPECT_EQ(facts["LOGNAME"], "nobody");
    EXPECT_EQ(facts["HOME"], "/nonexistent");
    EXPECT_EQ(facts["NoNewPrivs"], "1");
    EXPECT_EQ(run.stop(), ExitStatus{ExitedWith{0}});
}

TEST(WorkerEnvironment, IsReadAgainFromItsFilesForEachGeneration) {
    const TemporaryDirectory directory;
    RunOptions options;
    const std::string file = directory.write("env", "SHAPE=round\n");
    options.options = {"--listen", "127.0.0.1:0", "--env-file", file, "--settle", "100ms"};
    options.command = shell_worker("echo $HOLDFAST_GENERATION is $SHAPE; " + notify("READY=1") + "; exec sleep 1000");
    SupervisorProcess run(options);
    run.wait_until_serving();
    directory.write("env", "SHAPE=square\n");
    EXPECT_TRUE(run.command("restart").succeeded());
    EXPECT_THAT(run.worker_output(), HasSubstr("1 is round\n2 is square\n"));
    EXPECT_EQ(run.stop(), ExitStatus{ExitedWith{0}});
}

}  // namespace
}  // namespace holdfast::test
