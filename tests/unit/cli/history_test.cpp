#include "cli/history.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>

#include "api/client/client.hpp"

namespace holdfast::cli {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::SizeIs;

const std::vector<std::string> history{
    R"({"time":"2026-11-22T23:59:59.500Z","generation":1,"event":"started","text":"start","program":"/srv/app","build_id":"0123456789abcdef"})",
    R"({"time":"2026-11-23T00:00:02.000Z","generation":1,"event":"ready"})",
    R"({"time":"2026-11-23T08:00:00.000Z","generation":2,"event":"started","text":"uid 0, pid 7 over the API","program":"/srv/app"})",
    R"({"time":"2026-11-23T08:00:01.000Z","generation":2,"event":"failed","text":"worker 2.0 exited with status 3"})",
    R"({"time":"2026-11-23T08:00:01.000Z","generation":2,"event":"worker_killed","worker":"2.0"})",
    R"({"time":"2026-11-23T08:00:02.000Z","generation":2,"event":"retired"})",
    "torn {",
    R"({"no":"generation"})"};

TEST(History, HasARowForEachGeneration) {
    EXPECT_EQ(
        render_history(history),
        "GENERATION  WHEN (UTC)           PROGRAM       READY AFTER  KILLED  OUTCOME                                  "
        "ASKED BY\n"
        "1           2026-11-22 23:59:59  app 01234567  2.5s         0       -                                        "
        "start\n"
        "2           2026-11-23 08:00:00  app           -            1       failed: worker 2.0 exited with status 3  "
        "uid 0, pid 7 over the API\n");
}

// The first generation has no `ready` record of its own.
TEST(History, TakesTheReadyTimeOfTheFirstGenerationFromDone) {
    const std::string text =
        render_history({R"({"time":"2026-11-22T20:00:00.000Z","generation":1,"event":"started","text":"start"})",
                        R"({"time":"2026-11-22T20:00:03.000Z","generation":1,"event":"done"})",
                        R"({"time":"2026-11-22T20:09:00.000Z","generation":1,"event":"retired"})"});
    EXPECT_THAT(text, HasSubstr("  3.0s         0       done     start\n"));
}

TEST(History, ShowsNoControlCharacters) {
    const std::string text = render_history({R"({"generation":1,"event":"failed","text":"a\u001b[2Jb\nc"})"});
    EXPECT_THAT(text, HasSubstr("failed: a?[2Jb?c"));
}

TEST(History, IsReadFromTheStateDirectoryWithoutASupervisor) {
    const std::string folder = testing::TempDir() + "holdfast_history_" + std::to_string(::getpid());
    std::filesystem::create_directory(folder);
    std::ofstream file(folder + "/history.jsonl");
    for (const std::string& line : history) file << line << '\n';
    file << "{\"generation\":3,\"ev";  // an incomplete last line
    file.close();
    const auto lines = read_history(folder);
    ASSERT_TRUE(lines);
    EXPECT_THAT(*lines, SizeIs(7));
    std::filesystem::remove_all(folder);
    EXPECT_THAT(read_history(folder).error().text,
                HasSubstr("cannot read the history " + folder + "/history.jsonl: No such"));
}

// A full file is renamed to history.jsonl.1.
TEST(History, BeginsWithTheRenamedFile) {
    const std::string folder = testing::TempDir() + "holdfast_full_history_" + std::to_string(::getpid());
    std::filesystem::create_directory(folder);
    std::ofstream(folder + "/history.jsonl.1") << history[0] << '\n' << history[1] << '\n';
    const auto one = read_history(folder);
    std::ofstream(folder + "/history.jsonl") << history[2] << '\n';
    const auto both = read_history(folder);
    std::filesystem::remove_all(folder);
    ASSERT_TRUE(one && both);
    EXPECT_THAT(*one, ElementsAre(history[0], history[1]));
    EXPECT_THAT(*both, ElementsAre(history[0], history[1], history[2]));
}

TEST(HistoryRecord, IsDecoded) {
    const auto line = api::decode_history_record(history[0]);
    ASSERT_TRUE(line);
    EXPECT_EQ(line->generation, 1U);
    EXPECT_EQ(line->event, "started");
    EXPECT_EQ(line->build_id, "0123456789abcdef");
    EXPECT_FALSE(api::decode_history_record("[1]"));
    EXPECT_FALSE(api::decode_history_record("{"));
}

}  // namespace
}  // namespace holdfast::cli
