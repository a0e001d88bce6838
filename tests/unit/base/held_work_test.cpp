#include "base/held_work.hpp"

#include <gtest/gtest.h>

namespace holdfast {
namespace {

TEST(HeldWork, IsEmptyIfNothingIsHeld) {
    EXPECT_EQ(describe_held({}, {}), "");
    EXPECT_EQ(describe_held({}, {{"request", 0}, {"task", 0}}), "");
}

TEST(HeldWork, NamesEachItem) {
    EXPECT_EQ(describe_held({{"request", "GET / for 1.0 s"}}, {}), "request GET / for 1.0 s");
    EXPECT_EQ(describe_held({{"request", "a"}, {"task", "t"}, {"request", "b"}}, {{"request", 2}, {"task", 1}}),
              "2 requests: a, b; task t");
}

TEST(HeldWork, ShowsTheCountIfNotAllItemsAreNamed) {
    EXPECT_EQ(describe_held({{"session", "a"}, {"session", "b"}}, {{"session", 64}}), "64 sessions, the oldest: a, b");
    EXPECT_EQ(describe_held({{"work", "a"}, {"work", "b"}, {"work", "c"}, {"work", "d"}}, {}),
              "4 items of work, the oldest: a, b, c");
    EXPECT_EQ(describe_held({{"resource", "pool"}}, {{"resource", 2}}), "2 resources, the next to close: pool");
    EXPECT_EQ(describe_held({}, {{"task", 5}, {"work", 1}}), "5 tasks; 1 item of work");
}

TEST(HeldWork, KeepsTheOrderOfTheCounts) {
    EXPECT_EQ(describe_held({{"task", "t"}, {"request", "r"}, {"odd", "o"}}, {{"request", 1}, {"task", 1}}),
              "request r; task t; odd o");
}

TEST(HeldWork, CountsTheItemsIfTheCountIsSmaller) {
    EXPECT_EQ(describe_held({{"task", "a"}, {"task", "b"}}, {{"task", 1}}), "2 tasks: a, b");
}

TEST(HeldWork, IsLimitedInLength) {
    std::vector<HeldItem> items;
    for (int i = 0; i < 200; ++i) items.push_back({std::to_string(i), std::string(64, 'n')});
    const std::string text = describe_held(items, {});
    EXPECT_LT(text.size(), 800U);
    EXPECT_TRUE(text.ends_with("; and 192 more kinds")) << text;
}

}  // namespace
}  // namespace holdfast
