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

TEST(ShellWords, AreKeptTogetherByQuotesAndBackslashes) {
    EXPECT_THAT(split(R"(sh -c 'a "b" \c')"), ElementsAre("sh", "-c", R"(a "b" \c)"));
    EXPECT_THAT(split(R"("a 'b' \" \\ \n"c)"), ElementsAre(R"(a 'b' " \ \nc)"));
    EXPECT_THAT(split(R"(a\ b \' "" '')"), ElementsAre("a b", "'", "", ""));
}

TEST(ShellWords, ExpandNothing) {
    EXPECT_THAT(split("$HOME * ~ `x` a#b"), ElementsAre("$HOME", "*", "~", "`x`", "a#b"));
}

TEST(ShellWords, SayWhatIsUnfinished) {
    EXPECT_THAT(split("a 'b").front(), HasSubstr("a closing ' is missing"));
    EXPECT_THAT(split("a \"b").front(), HasSubstr("a closing \" is missing"));
    EXPECT_THAT(split("a \\").front(), HasSubstr("nothing follows the last backslash"));
    EXPECT_THAT(split("a # b").front(), HasSubstr("a comment stands on a line of its own"));
    EXPECT_THAT(split("a '# b'"), ElementsAre("a", "# b"));
}

}  // namespace
}  // namespace holdfast::cli
