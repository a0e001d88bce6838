// Output and exit status of the commands that change nothing, with the real program.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>
#include <csignal>
#include <stdexcept>
#include <string>

#include "operations.hpp"
#include "programs.hpp"

namespace holdfast::test {
namespace {

using testing::HasSubstr;

CommandResult holdfast(std::vector<std::string> arguments) {
    return run_command({.program = program("holdfast"), .arguments = std::move(arguments)});
}

// Repeats `holdfast why` until the output for a worker contains `part`, and returns that output. A worker reports what
// it holds only a moment after it was told to leave.
std::string wait_for_why(SupervisorProcess& run, const std::string& part) {
    const auto end = std::chrono::steady_clock::now() + test_timeout;
    std::string said;
    while (std::chrono::steady_clock::now() < end) {
        said.clear();
        for (const char* const worker : {"1.0", "1.1"}) {
            const std::string one = run.command("why", {worker}).output;
            if (one.find(part) != one.npos) return one;
            said += one;
        }
    }
    throw std::runtime_error("why never contained \"" + part + "\"; the last output:\n" + said);
}

TEST(Why, SaysWhatAWorkerWaitsFor) {
    SupervisorProcess run(short_run(hello_http()));
    run.wait_until_serving();
    const CommandResult serving = run.command("why", {"1.0"});
    EXPECT_TRUE(serving.succeeded()) << serving.output;
    EXPECT_THAT(serving.output, HasSubstr("worker 1.0 (pid "));
    EXPECT_THAT(serving.output, HasSubstr("nobody has asked it to leave"));

    BackgroundLoad slow(slow_load(run.address(), 1, 1500));
    slow.wait_for_sent(1);
    run.signal(SIGTERM);
    const std::string said = wait_for_why(run, "it waits for request GET /?ms=1500 for ");
    EXPECT_THAT(said, HasSubstr("was told to leave"));
    EXPECT_THAT(said, HasSubstr("SIGTERM"));
    expect_flawless(slow.wait_for_end());
    EXPECT_EQ(run.wait_for_exit(), ExitStatus{ExitedWith{0}});
}

TEST(Why, NamesTheRunningWorkersIfAWorkerDoesNotExist) {
    SupervisorProcess run(short_run(hello_http()));
    run.wait_until_serving();
    const CommandResult unknown = run.command("why", {"7.7"});
    EXPECT_FALSE(unknown.succeeded());
    EXPECT_THAT(unknown.output, HasSubstr("there is no worker 7.7: 1.0 and 1.1 exist"));
    EXPECT_EQ(run.stop(), ExitStatus{ExitedWith{0}});
}

TEST(Logs, ShowTheLastLinesOfEachWorker) {
    SupervisorProcess run(short_run(shell_worker("echo I am $HOLDFAST_WORKER >&2; exec " + hello_http().front())));
    run.wait_until_serving();
    const CommandResult all = run.command("logs");
    EXPECT_TRUE(all.succeeded()) << all.output;
    EXPECT_THAT(all.output, HasSubstr("I am 1.0"));
    EXPECT_THAT(all.output, HasSubstr("I am 1.1"));
    const CommandResult one = run.command("logs", {"1.1"});
    EXPECT_TRUE(one.succeeded()) << one.output;
    EXPECT_THAT(one.output, HasSubstr("I am 1.1"));
    EXPECT_THAT(one.output, testing::Not(HasSubstr("I am 1.0")));
    EXPECT_EQ(run.stop(), ExitStatus{ExitedWith{0}});
}

TEST(Events, ArePrintedAsTheyHappenUntilTheSupervisorEnds) {
    SupervisorProcess run(short_run(hello_http()));
    run.wait_until_serving();
    const auto events = run.start_command("events");
    // Once it is connected, no event is missed.
    wait_for_status(run, "serving");
    EXPECT_TRUE(run.command("restart").succeeded());
    EXPECT_EQ(run.stop(), ExitStatus{ExitedWith{0}});
    const CommandResult result = events->wait();
    EXPECT_TRUE(result.succeeded()) << result.output;
    EXPECT_THAT(result.output, HasSubstr("\"event\":\"rollout_done\""));
    EXPECT_THAT(result.output, HasSubstr("\"event\":\"stop_started\""));
}

TEST(History, ShowsWhoAskedAndHowItEnded) {
    const std::string broken = "if [ $HOLDFAST_GENERATION = 2 ]; then echo no licence >&2; exit 9; fi; exec ";
    SupervisorProcess run(short_run(shell_worker(broken + hello_http().front())));
    run.wait_until_serving();
    EXPECT_FALSE(run.command("restart").succeeded());
    EXPECT_TRUE(run.command("restart").succeeded());
    const CommandResult history = run.command("history");
    EXPECT_TRUE(history.succeeded()) << history.output;
    EXPECT_THAT(history.output, testing::ContainsRegex("\n2 .*failed: .*exited with status 9"));
    EXPECT_THAT(history.output, testing::ContainsRegex("\n3 .*over the API"));
    EXPECT_EQ(run.stop(), ExitStatus{ExitedWith{0}});
}

TEST(Check, ChecksAConfigurationAndStartsNothing) {
    const TemporaryDirectory directory;
    const std::string sound = directory.write("web.conf", "listen = 127.0.0.1:0\nname = web\ncommand = /bin/sleep 9\n");
    const CommandResult good = holdfast({"check", "--config", sound});
    EXPECT_TRUE(good.succeeded()) << good.output;
    const std::string broken = directory.write("broken.conf", "listen = 127.0.0.1:0\nlisen = 1\n");
    const CommandResult bad = holdfast({"check", "--config", broken});
    EXPECT_EQ(bad.status, ExitStatus{ExitedWith{2}});
    EXPECT_THAT(bad.output, HasSubstr(broken + ":2"));
    EXPECT_THAT(bad.output, HasSubstr("listen"));
    const CommandResult missing = holdfast({"check", "--name", "web", "--", directory / "nowhere"});
    EXPECT_FALSE(missing.succeeded());
    EXPECT_THAT(missing.output, HasSubstr(directory / "nowhere"));
}

// An address that the running supervisor of this name holds is no problem; one that another process holds is.
TEST(Check, AcceptsAnAddressOfTheRunningSupervisorOfThisName) {
    SupervisorProcess run(short_run(hello_http()));
    run.wait_until_serving();
    const std::vector<std::string> rest{"--runtime-dir",     run.runtime_directory(), "--listen", run.address(), "--",
                                        hello_http().front()};
    std::vector<std::string> words{"check", "--name", "web"};
    words.insert(words.end(), rest.begin(), rest.end());
    const CommandResult own = holdfast(words);
    EXPECT_TRUE(own.succeeded()) << own.output;
    const std::string pid = "(pid " + std::to_string(run.pid()) + ")";
    EXPECT_THAT(own.output, HasSubstr("is held by the running supervisor of this name " + pid));
    const TemporaryDirectory elsewhere;
    words[4] = elsewhere.path();
    const CommandResult other = holdfast(words);
    EXPECT_EQ(other.status, ExitStatus{ExitedWith{1}});
    EXPECT_THAT(other.output, HasSubstr("held by holdfast " + pid));
    EXPECT_EQ(run.stop(), ExitStatus{ExitedWith{0}});
}

TEST(Doctor, GivesARemedyForEachFinding) {
    SupervisorProcess run(short_run(hello_http()));
    run.wait_until_serving();
    const CommandResult findings = run.command("doctor");
    EXPECT_THAT(findings.output, HasSubstr("somaxconn"));
    EXPECT_THAT(findings.output, HasSubstr("tcp_migrate_req"));
    const CommandResult json = run.command("doctor", {"--json"});
    EXPECT_EQ(json.status, findings.status);
    EXPECT_THAT(json.output, testing::StartsWith("[{"));
    EXPECT_EQ(run.stop(), ExitStatus{ExitedWith{0}});
}

TEST(Commands, FailIfNoSupervisorRuns) {
    const TemporaryDirectory directory;
    for (const char* const verb :
         {"status", "restart", "reload", "stop", "undo", "rollback", "pause", "resume", "history", "logs", "events"}) {
        const CommandResult result = holdfast({verb, "web", "--runtime-dir", directory.path()});
        EXPECT_FALSE(result.succeeded()) << verb;
        EXPECT_THAT(result.output, HasSubstr(directory.path())) << verb;
    }
}

}  // namespace
}  // namespace holdfast::test
