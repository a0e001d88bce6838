#include "cli/config_file.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>

#include "parse_fixture.hpp"

namespace holdfast::cli {
namespace {

using namespace std::chrono_literals;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

// A temporary configuration file.
class ConfigFile : public testing::Test {
  protected:
    ~ConfigFile() override { std::filesystem::remove(path_); }

    void write(const std::string& text) { std::ofstream(path_, std::ios::binary) << text; }
    core::Configuration run(const std::string& options) {
        return run_with(words("run --config " + path_ + " " + options));
    }
    // The error for a file with this text, without "run: FILE:".
    std::string refusal(const std::string& text) {
        write(text);
        const std::string message = refusal_of({"run", "--config", path_, "--", "./srv"});
        const std::string prefix = "run: " + path_ + ":";
        EXPECT_TRUE(message.starts_with(prefix)) << message;
        return message.substr(std::min(prefix.size(), message.size()));
    }

    std::string path_ = testing::TempDir() + "holdfast_config_" + std::to_string(::getpid());
};

TEST_F(ConfigFile, HasTheNamesOfTheOptionsAsKeys) {
    write(
        "# the service\n\nname = web\r\n  listen=http=:8080?backlog=9\nlisten = unix:/run/a.sock\nworkers = 4\n"
        "no-new-privileges = yes\nreplace-orphans = no\nenv = A=b = c\ngrace-period = 3s\n"
        "command = ./srv 'a b' --x\n");
    const auto configuration = run("");
    EXPECT_EQ(configuration.name, "web");
    ASSERT_EQ(configuration.listen.size(), 2U);
    EXPECT_EQ(configuration.listen[0].backlog, 9);
    EXPECT_EQ(configuration.policy.workers, 4);
    EXPECT_EQ(configuration.launch.privileges, Privileges::no_new);
    EXPECT_EQ(configuration.orphans, core::Orphans::refuse);
    EXPECT_THAT(configuration.launch.env, ElementsAre("A=b = c"));
    EXPECT_EQ(configuration.policy.grace_period, 3s);
    EXPECT_THAT(configuration.launch.command, ElementsAre("./srv", "a b", "--x"));
    EXPECT_EQ(configuration.file, path_);
}

TEST_F(ConfigFile, IsOverriddenByTheCommandLine) {
    write("workers = 4\nlisten = :1\nlisten = :2\nsettle = 3s\ncommand = ./srv\n");
    const auto configuration = run("--workers 2 --listen :3 -- ./other x");
    EXPECT_EQ(configuration.policy.workers, 2);
    ASSERT_EQ(configuration.listen.size(), 1U);
    EXPECT_EQ(configuration.listen[0].port, 3);
    EXPECT_EQ(configuration.policy.settle, 3s);
    EXPECT_THAT(configuration.launch.command, ElementsAre("./other", "x"));
}

TEST_F(ConfigFile, ErrorsNameFileAndLineAndTheNearestSpelling) {
    EXPECT_THAT(refusal("\n# x\nwrokers = 3\n"), HasSubstr("3: there is no key \"wrokers\", did you mean workers?"));
    EXPECT_THAT(refusal("workers 3"), HasSubstr("1: \"workers 3\" is not a setting: write KEY = VALUE"));
    EXPECT_THAT(refusal("= 3"), HasSubstr("has no key"));
    EXPECT_THAT(refusal("grace-period = 5"), HasSubstr("1: grace-period: \"5\" is not a duration"));
    EXPECT_THAT(refusal("workers = 1\n\nworkers = 2"), HasSubstr("3: workers is given twice, first in line 1"));
    EXPECT_THAT(refusal("no-new-privileges = maybe"), HasSubstr("yes or no"));
    EXPECT_THAT(refusal("workers = 4 # four"), HasSubstr("a comment must be on its own line"));
    EXPECT_THAT(refusal("cgroup = x"), HasSubstr("cgroup is not part of this version"));
    EXPECT_THAT(refusal("config = x"), HasSubstr("a configuration file cannot include another one"));
    EXPECT_THAT(refusal("command = 'x"), HasSubstr("1: command: a closing ' is missing"));
    EXPECT_THAT(refusal("command ="), HasSubstr("1: command: the value is empty"));
    EXPECT_THAT(refusal(std::string("name = a\0b", 10)), HasSubstr("NUL"));
    EXPECT_THAT(refusal("xyzzyx = 1"), HasSubstr("the keys are the names of the options of run"));
}

// A value that the command line overrides must be valid as well.
TEST_F(ConfigFile, IsValidatedEvenIfOverridden) {
    write("workers = many\n");
    EXPECT_THAT(refusal_of({"run", "--config", path_, "--workers", "2", "--", "x"}),
                HasSubstr(":1: workers: \"many\""));
}

TEST_F(ConfigFile, IsReadAgainForAReload) {
    write("workers = 4\ncommand = ./srv\n");
    const Command command = parse({"run", "--settle", "2s", "--config", path_});
    const auto* run = std::get_if<RunCommand>(&command);
    ASSERT_NE(run, nullptr);
    write("workers = 5\ncommand = ./srv2\n");
    const auto again = reread(*run);
    ASSERT_TRUE(again);
    EXPECT_EQ(again->policy.workers, 5);
    EXPECT_EQ(again->policy.settle, 2s);
    EXPECT_THAT(again->launch.command, ElementsAre("./srv2"));
    write("workers = x\n");
    EXPECT_THAT(reread(*run).error().text, HasSubstr(path_ + ":1: workers"));
}

TEST_F(ConfigFile, MustBeARegularFileOfBoundedSize) {
    write(std::string(largest_config_file + 1, '#'));
    EXPECT_THAT(refusal_of({"run", "--config", path_, "--", "x"}), HasSubstr("it is larger than 256 KiB"));
    write(std::string(largest_config_file, '#'));
    EXPECT_EQ(refusal_of({"run", "--config", path_, "--", "x"}), "accepted");
    EXPECT_THAT(refusal_of({"run", "--config", "/dev/null", "--", "x"}), HasSubstr("it is not a regular file"));
    EXPECT_THAT(refusal_of({"run", "--config", "/nonexistent", "--", "x"}),
                HasSubstr("cannot read the configuration /nonexistent: No such file or directory"));
    EXPECT_THAT(refusal_of({"run", "--config", path_}), HasSubstr("there is no command to run"));
}

TEST(ParseConfig, SkipsCommentsAndBlankLines) {
    const auto entries = parse_config_entries("\n \n# a = b\n  # c\n");
    ASSERT_TRUE(entries);
    EXPECT_THAT(*entries, IsEmpty());
}

}  // namespace
}  // namespace holdfast::cli
