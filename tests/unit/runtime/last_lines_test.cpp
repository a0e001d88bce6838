#include "runtime/last_lines.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

namespace holdfast::runtime {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

TEST(LastLines, AreEmptyBeforeTheFirstOutput) { EXPECT_THAT(LastLines{}.lines(), IsEmpty()); }

TEST(LastLines, JoinPiecesOfALine) {
    LastLines lines;
    lines.add("cannot op");
    lines.add("en x\nand th");
    lines.add("en");
    EXPECT_THAT(lines.lines(), ElementsAre("cannot open x", "and then"));
}

TEST(LastLines, KeepTheLastTwenty) {
    LastLines lines;
    for (int number = 1; number <= 1000; ++number) lines.add(std::to_string(number) + "\n");
    const auto kept = lines.lines();
    ASSERT_EQ(kept.size(), LastLines::max_lines);
    EXPECT_EQ(kept.front(), "981");
    EXPECT_EQ(kept.back(), "1000");
    lines.add("unfinished");
    EXPECT_EQ(lines.lines().size(), LastLines::max_lines);
    EXPECT_EQ(lines.lines().back(), "unfinished");
}

TEST(LastLines, TruncateALineWithoutAnEnd) {
    LastLines lines;
    for (int piece = 0; piece < 1000; ++piece) lines.add(std::string(1000, 'x'));
    lines.add("\nshort\n");
    EXPECT_THAT(lines.lines(), ElementsAre(std::string(LastLines::max_line_bytes, 'x'), "short"));
}

TEST(LastLines, EscapeControlCharacters) {
    LastLines lines;
    lines.add("\x1b[2Jgone\n");
    EXPECT_THAT(lines.lines(), ElementsAre("\\x1b[2Jgone"));
}

}  // namespace
}  // namespace holdfast::runtime
