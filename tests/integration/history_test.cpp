// The history of generations survives supervisors, torn writes and full disks, and the service is not affected.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>
#include <iterator>
#include <sstream>
#include <string>
#include <vector>

#include "operations.hpp"

namespace holdfast::test {
namespace {

using testing::HasSubstr;
using testing::Not;

RunOptions with_state(const std::string& directory) {
    RunOptions options = short_run(hello_http());
    options.options.insert(options.options.end(), {"--state-dir", directory});
    return options;
}

std::vector<std::string> lines_of(const std::string& path) {
    std::ifstream file(path);
    std::vector<std::string> lines;
    for (std::string line; std::getline(file, line);) lines.push_back(line);
    return lines;
}

bool is_whole(const std::string& line) { return line.starts_with('{') && line.ends_with('}'); }

TEST(History, ContinuesTheGenerationNumbersAcrossSupervisors) {
    const TemporaryDirectory directory;
    {
        SupervisorProcess first(with_state(directory.path()));
        first.wait_until_serving();
        EXPECT_TRUE(first.command("restart").succeeded());
        EXPECT_EQ(first.stop(), ExitStatus{ExitedWith{0}});
    }
    SupervisorProcess second(with_state(directory.path()));
    second.wait_until_serving();
    EXPECT_EQ(second.log().await_count(1U, "worker_ready", of_worker("3.0")), 1U);
    EXPECT_TRUE(second.command("restart").succeeded());
    EXPECT_EQ(second.log().await_count(1U, "worker_ready", of_worker("4.1")), 1U);

    const CommandResult history = second.command("history");
    EXPECT_TRUE(history.succeeded());
    for (const char* const generation : {"\n1 ", "\n2 ", "\n3 ", "\n4 "}) {
        EXPECT_THAT(history.output, HasSubstr(generation));
    }
    EXPECT_THAT(history.output, HasSubstr("hello-http"));
    EXPECT_EQ(second.stop(), ExitStatus{ExitedWith{0}});
}

TEST(History, SurvivesATornLine) {
    const TemporaryDirectory directory;
    const std::string file = directory / "history.jsonl";
    {
        SupervisorProcess first(with_state(directory.path()));
        first.wait_until_serving();
        EXPECT_EQ(first.stop(), ExitStatus{ExitedWith{0}});
    }
    // A line that no supervisor wrote, and a partial line as after a loss of power.
    std::ofstream(file, std::ios::app) << "\x01\xff garbage\n{\"time\":\"2026-01-01T00:00:00.000Z\",\"genera";
    SupervisorProcess second(with_state(directory.path()));
    second.wait_until_serving();
    EXPECT_EQ(second.log().await_count(1U, "worker_ready", of_worker("2.0")), 1U);
    BackgroundLoad load(fresh_load(second.address()));
    restart_under_load(second, load, 1);
    expect_flawless(load.stop());
    const CommandResult history = second.command("history");
    for (const char* const generation : {"\n1 ", "\n2 ", "\n3 "}) EXPECT_THAT(history.output, HasSubstr(generation));
    EXPECT_EQ(second.stop(), ExitStatus{ExitedWith{0}});

    int broken = 0;
    for (const std::string& line : lines_of(file)) broken += is_whole(line) ? 0 : 1;
    EXPECT_EQ(broken, 2);  // the two lines that were broken before
    EXPECT_TRUE(is_whole(lines_of(file).back()));
}

// A file system of 16 KiB, in a separate mount namespace.
TEST(History, SurvivesAFullDisk) {
    const TemporaryDirectory directory;
    RunOptions options = with_state(directory.path());
    options.wrapper = {"/usr/bin/unshare",
                       "--mount",
                       "/bin/sh",
                       "-c",
                       "mount -t tmpfs -o size=16k,mode=755 none " + directory.path() + " && exec \"$@\"",
                       "sh"};
    SupervisorProcess run(options);
    run.wait_until_serving();
    const std::string state_directory = "/proc/" + std::to_string(run.pid()) + "/root" + directory.path();
    BackgroundLoad load(fresh_load(run.address()));
    // Another process fills it completely.
    run_command({.program = "/bin/sh", .arguments = {"-c", "cat /dev/zero > " + state_directory + "/filler"}});
    int restarts = 0;
    while (run.log().count("history_not_written") == 0 && ++restarts <= 20) {
        EXPECT_TRUE(run.command("restart").succeeded());
    }
    const LogEntry full = run.wait_for("history_not_written");
    load.wait_for_more(20);
    // Records that could not be written are still shown.
    EXPECT_THAT(run.command("history").output, HasSubstr("\n" + std::to_string(restarts + 1) + " "));
    for (const std::string& line : lines_of(state_directory + "/history.jsonl")) EXPECT_TRUE(is_whole(line)) << line;

    run_command({.program = "/bin/rm", .arguments = {state_directory + "/filler"}});
    EXPECT_TRUE(run.command("restart").succeeded());
    run.wait_for("history_not_written", with_text("the history is written again"), full.index);
    const std::vector<std::string> lines = lines_of(state_directory + "/history.jsonl");
    ASSERT_FALSE(lines.empty());
    for (const std::string& line : lines) EXPECT_TRUE(is_whole(line)) << line;
    expect_flawless(load.stop());
    EXPECT_EQ(run.stop(), ExitStatus{ExitedWith{0}});
}

TEST(History, IsReadFromItsDirectoryIfNoSupervisorRuns) {
    const TemporaryDirectory directory;
    SupervisorProcess run(with_state(directory.path()));
    run.wait_until_serving();
    EXPECT_EQ(run.stop(), ExitStatus{ExitedWith{0}});
    const CommandResult history = run.command("history", {"--state-dir", directory.path()});
    EXPECT_TRUE(history.succeeded()) << history.output;
    EXPECT_THAT(history.output, HasSubstr("\n1 "));
}

}  // namespace
}  // namespace holdfast::test
