#include "runtime/history_line.hpp"

#include <gtest/gtest.h>

#include <string>

namespace holdfast::runtime {
namespace {

core::Record record(std::string text) { return {Generation{3}, "worker_exited", "3.0", std::move(text)}; }

TEST(HistoryLine, LeavesOutEmptyFields) {
    EXPECT_EQ(history_line("T", {Generation{3}, "done", {}, {}}, {}), R"({"time":"T","generation":3,"event":"done"})"
                                                                      "\n");
}

TEST(HistoryLine, IsJsonForAnyText) {
    EXPECT_EQ(history_line("T", record("\"no\" \\ \n\xFF\u202E"), {"/srv/caf\u00E9", "ab", "cd"}),
              R"({"time":"T","generation":3,"event":"worker_exited","worker":"3.0",)"
              R"("text":"\"no\" \\ \\n\\xff\\u202e","program":"/srv/café","build_id":"ab","configuration":"cd"})"
              "\n");
}

TEST(HistoryLine, IsReadBackAtItsLongest) {
    const std::string longest(5000, '\xFF');
    std::string line = history_line("2026-11-22T19:58:03.125000Z", {Generation{7}, longest, longest, longest},
                                    {longest, longest, longest});
    line.pop_back();
    EXPECT_EQ(generation_in(line), Generation{7});
}

// These lines were written before Boost.JSON was used.
TEST(HistoryLine, ReadsLinesOfFormerVersions) {
    EXPECT_EQ(
        generation_in(R"({"time":"2026-11-22T19:58:03.125000Z","generation":18446744073709551615,"event":"done"})"),
        Generation{18446744073709551615U});
    EXPECT_EQ(generation_in(R"({"time":"t","generation":2,"event":"failed","text":"\"a\" \\ \\n\\xff \\u202e é €"})"),
              Generation{2});
    EXPECT_EQ(generation_in(R"({"time":"t","generation":1,"event":"ready","worker":"1.0","program":"/srv/web",)"
                            R"("build_id":"00ff","configuration":"e3b0"})"),
              Generation{1});
}

TEST(HistoryLine, RefusesWhatNoVersionHasWritten) {
    for (const std::string_view line :
         {"", "[1]", "{}", R"({"generation":9})", R"({"time":"t","generation":9})", R"({"time":"t","event":"done"})",
          R"({"time":"t","generation":9,"event":"do)", R"({"time":"t","generation":9,"event":"done"}x)",
          R"({"time":"t","generation":9,"event":"d","a":{}})", R"({"time":"t","generation":9,"event":"d","a":[]})",
          R"({"time":"t","generation":9,"event":null})", R"({"time":"t","generation":-9,"event":"d"})",
          R"({"time":"t","generation":9.5,"event":"d"})",
          R"({"time":"t","generation":18446744073709551616,"event":"d"})",
          R"({"time":"t","generation":9,"event":"\u001b[2J"})", R"({"time":"t","generation":9,"event":"d","\u009b":1})",
          "{\"time\":\"t\",\"generation\":9,\"event\":\"\xff\"}",
          "{\"time\":\"t\",\t\"generation\":9,\"event\":\"d\"}"}) {
        EXPECT_EQ(generation_in(line), std::nullopt) << line;
    }
}

TEST(HistoryLine, RefusesHostileLinesWithoutReadingThemWhole) {
    const std::string members = R"({"time":"t","generation":9,"event":"d","a":)";
    EXPECT_EQ(generation_in(members + std::string(1'000'000, '[')), std::nullopt);
    EXPECT_EQ(generation_in(members + std::string(10'000, '[') + std::string(10'000, ']') + "}"), std::nullopt);
    EXPECT_EQ(generation_in(members + "\"" + std::string(1'000'000, 'x') + "\"}"), std::nullopt);
}

}  // namespace
}  // namespace holdfast::runtime
