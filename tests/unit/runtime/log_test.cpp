#include "runtime/log.hpp"

#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <array>
#include <string>
#include <vector>

namespace holdfast::runtime {
namespace {

using testing::EndsWith;
using testing::HasSubstr;
using testing::Not;

// One line as it is written to the log.
std::string logged(core::LogFormat format, core::Level level, std::string_view text) {
    std::array<int, 2> ends{};
    EXPECT_EQ(::pipe2(ends.data(), O_CLOEXEC), 0);
    {
        Output output(ends[1]);
        Log log(output, format, "web", "info");
        log.write(level, "worker_told", {"1.0", 812}, text);
    }
    ::close(ends[1]);
    std::array<char, 4096> buffer{};
    const ssize_t got = ::read(ends[0], buffer.data(), buffer.size());
    ::close(ends[0]);
    return {buffer.data(), static_cast<std::size_t>(std::max<ssize_t>(got, 0))};
}

TEST(Log, NamesTheServiceAndTheWorker) {
    EXPECT_THAT(logged(core::LogFormat::text, core::Level::info, "told to drain"),
                EndsWith("Z holdfast[web] info: worker 1.0 (pid 812): told to drain\n"));
}

TEST(Log, WritesTheSameFactsAsJsonFields) {
    const std::string line = logged(core::LogFormat::json, core::Level::warning, "told \"now\" \\ {}");
    EXPECT_THAT(line, HasSubstr(R"("level":"warning","mono_usec":)"));
    EXPECT_THAT(line, EndsWith(",\"event\":\"worker_told\",\"worker\":\"1.0\",\"pid\":812,"
                               "\"text\":\"told \\\"now\\\" \\\\ {}\"}\n"));
}

TEST(Log, EscapesTheText) {
    const std::string text = logged(core::LogFormat::text, core::Level::info, "a\nholdfast[web] error: b\x1b[2J");
    EXPECT_THAT(text, EndsWith("a\\nholdfast[web] error: b\\x1b[2J\n"));
    EXPECT_THAT(logged(core::LogFormat::json, core::Level::info, "a\nb"), HasSubstr(R"("a\\nb")"));
}

// A byte that is not UTF-8 would make the line invalid JSON, and clients that follow the events could not parse it.
TEST(Log, IsValidJsonForAnyText) {
    EXPECT_THAT(logged(core::LogFormat::json, core::Level::info, "cannot execute ./\xff\xc3"),
                HasSubstr(R"("cannot execute ./\\xff\\xc3")"));
}

TEST(Log, FollowersReceiveAllLevelsAsJson) {
    Output output(STDERR_FILENO);
    Log log(output, core::LogFormat::text, "web", "error");
    std::vector<std::string> received;
    auto following = log.follow([&](std::string_view line) { received.emplace_back(line); });
    log.write(core::Level::debug, "worker_told", {"1.0", 812}, "a \"word\"");
    ASSERT_EQ(received.size(), 1U);
    EXPECT_THAT(received.front(), testing::MatchesRegex(R"(\{"time":"....-..-..T..:..:..\.......Z","level":"debug",)"
                                                        R"("mono_usec":[0-9]+,"event":"worker_told","worker":"1\.0",)"
                                                        R"("pid":812,"text":"a \\"word\\""\})"));
    following.reset();
    log.write(core::Level::debug, "worker_told", "again");
    EXPECT_EQ(received.size(), 1U);
}

TEST(Log, FollowerMayDestroyItsHandle) {
    Output output(STDERR_FILENO);
    Log log(output, core::LogFormat::text, "web", "error");
    int received = 0;
    std::shared_ptr<void> first;
    first = log.follow([&](std::string_view) {
        ++received;
        first.reset();
    });
    const auto second = log.follow([&](std::string_view) { ++received; });
    log.write(core::Level::info, "e", "x");
    log.write(core::Level::info, "e", "x");
    EXPECT_EQ(received, 3);
}

TEST(Log, WritesNothingBelowItsLevel) { EXPECT_EQ(logged(core::LogFormat::text, core::Level::debug, "x"), ""); }

}  // namespace
}  // namespace holdfast::runtime
