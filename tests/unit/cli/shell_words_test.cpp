#include "cli/shell_words.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace holdfast::cli {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

std::vector<std::string> split(std::string_view line) {
    const auto words = split_words(line);
    return words ? *words : std::vector<std::string>{"refused: " + words.error().text};
}

TEST(ShellWords, AreSeparatedByBlanks) {
    EXPECT_THAT(split(" ./srv  --port\t3 "), ElementsAre("./srv", "--port", "3"));
    EXPECT_THAT(split("  "), IsEmpty());
}

TEST(ShellWords, MayContainBlanksInQuotesOrAfterBackslashes) {
    EXPECT_THAT(split(R"(sh -c 'a "b" \c')"), ElementsAre("sh", "-c", R"(a "b" \c)"));
    EXPECT_THAT(split(R"("a 'b' \" \\ \n"c)"), ElementsAre(R"(a 'b' " \ \nc)"));
    EXPECT_THAT(split(R"(a\ b \' "" '')"), ElementsAre("a b", "'", "", ""));
}

TEST(ShellWords, AreNotExpanded) {
    EXPECT_THAT(split("$HOME * ~ `x` a#b"), ElementsAre("$HOME", "*", "~", "`x`", "a#b"));
}

TEST(ShellWords, RejectUnfinishedQuotesAndComments) {
    EXPECT_THAT(split("a 'b").front(), HasSubstr("a closing ' is missing"));
    EXPECT_THAT(split("a \"b").front(), HasSubstr("a closing \" is missing"));
    EXPECT_THAT(split("a \\").front(), HasSubstr("nothing follows the last backslash"));
    EXPECT_THAT(split("a # b").front(), HasSubstr("a comment must be on its own line"));
    EXPECT_THAT(split("a '# b'"), ElementsAre("a", "# b"));
}

}  // namespace
}  // namespace holdfast::cli
