#include "base/parse.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <array>

namespace holdfast {
namespace {

using namespace std::chrono_literals;
using testing::HasSubstr;

TEST(Duration, ParsesTheFourUnits) {
    EXPECT_EQ(parse_duration("500ms").value(), 500ms);
    EXPECT_EQ(parse_duration("1s").value(), 1s);
    EXPECT_EQ(parse_duration("2m").value(), 2min);
    EXPECT_EQ(parse_duration("1h").value(), 1h);
    EXPECT_EQ(parse_duration("0s").value(), 0s);
}

TEST(Duration, AddsPartsAndAcceptsFractions) {
    EXPECT_EQ(parse_duration("1m30s").value(), 90s);
    EXPECT_EQ(parse_duration("1.5s").value(), 1500ms);
    EXPECT_EQ(parse_duration("0.001ms").value(), 1us);
}

std::string duration_error(std::string_view text) {
    const auto duration = parse_duration(text);
    EXPECT_FALSE(duration) << text;
    return duration ? "" : duration.error().text;
}

TEST(Duration, NumberWithoutUnitIsRejectedWithASuggestion) {
    EXPECT_THAT(duration_error("5"), HasSubstr("\"5\" is not a duration: it has no unit, did you mean \"5s\"?"));
    EXPECT_THAT(duration_error("1m30"), HasSubstr("did you mean \"1m30s\"?"));
}

TEST(Duration, InfiniteIsRejectedWithTheReason) {
    for (const std::string_view text : {"infinite", "Infinity", "never", "unlimited"}) {
        EXPECT_THAT(duration_error(text), HasSubstr("every wait in holdfast is limited")) << text;
    }
}

TEST(Duration, ErrorNamesTheFaultAndTheAcceptedForm) {
    EXPECT_THAT(duration_error(""), HasSubstr("it is empty"));
    EXPECT_THAT(duration_error("s"), HasSubstr("a number was expected at \"s\""));
    EXPECT_THAT(duration_error("-1s"), HasSubstr("a number was expected at \"-1s\""));
    EXPECT_THAT(duration_error(".5s"), HasSubstr("a number was expected"));
    EXPECT_THAT(duration_error("5.s"), HasSubstr("a number was expected"));
    EXPECT_THAT(duration_error("5 s"), HasSubstr("\" s\" is not a unit"));
    EXPECT_THAT(duration_error("5days"), HasSubstr("\"days\" is not a unit; a duration is a number with a unit"));
    EXPECT_THAT(duration_error("5min"), HasSubstr("\"min\" is not a unit, did you mean \"m\"?"));
    EXPECT_THAT(duration_error("5S"), HasSubstr("\"S\" is not a unit, did you mean \"s\"?"));
    EXPECT_THAT(duration_error("999999999999h"), HasSubstr("it is too long"));
    EXPECT_THAT(duration_error("876000h1h"), HasSubstr("it is too long"));
    EXPECT_THAT(duration_error("9999999999999999999s"), HasSubstr("a number was expected"));
}

TEST(Size, ParsesBytesAndPowersOf1024) {
    EXPECT_EQ(parse_size("0").value(), 0U);
    EXPECT_EQ(parse_size("4096").value(), 4096U);
    EXPECT_EQ(parse_size("64K").value(), 65536U);
    EXPECT_EQ(parse_size("10m").value(), 10U << 20);
    EXPECT_EQ(parse_size("2G").value(), std::uint64_t{2} << 30);
    EXPECT_EQ(parse_size("1MiB").value(), 1U << 20);
}

TEST(Size, ErrorNamesTheFault) {
    EXPECT_THAT(parse_size("").error().text, HasSubstr("does not begin with a number; a size is"));
    EXPECT_THAT(parse_size("-1").error().text, HasSubstr("does not begin with a number"));
    EXPECT_THAT(parse_size("5X").error().text, HasSubstr("\"X\" is not a unit"));
    EXPECT_THAT(parse_size("99999999999999999999").error().text, HasSubstr("too large"));
    EXPECT_THAT(parse_size("99999999999G").error().text, HasSubstr("too large"));
}

TEST(Count, ChecksTheRange) {
    EXPECT_EQ(parse_count("7").value(), 7U);
    EXPECT_EQ(parse_count("1", 1, 4096).value(), 1U);
    EXPECT_EQ(parse_count("4096", 1, 4096).value(), 4096U);
    EXPECT_EQ(parse_count("0", 1, 4096).error().text, "\"0\" is not a whole number from 1 to 4096");
    EXPECT_FALSE(parse_count("4097", 1, 4096));
    EXPECT_THAT(parse_count("two").error().text, HasSubstr("\"two\" is not a whole number"));
    EXPECT_THAT(parse_count("0", 1).error().text, HasSubstr("a whole number of at least 1"));
    EXPECT_FALSE(parse_count("1.5"));
    EXPECT_FALSE(parse_count("-1"));
    EXPECT_FALSE(parse_count(" 1"));
    EXPECT_FALSE(parse_count("99999999999999999999"));
}

TEST(Nearest, FindsTheMisspeltWord) {
    constexpr std::array<std::string_view, 5> words{"grace-period", "cancel-period", "listen", "workers", "user"};
    EXPECT_EQ(nearest("grace-peroid", words), "grace-period");
    EXPECT_EQ(nearest("lisen", words), "listen");
    EXPECT_EQ(nearest("worker", words), "workers");
    EXPECT_EQ(nearest("Listen", words), "listen");
    EXPECT_EQ(nearest("uesr", words), "user");
}

TEST(Nearest, DoesNotSuggestADistantWord) {
    constexpr std::array<std::string_view, 2> words{"listen", "s"};
    EXPECT_EQ(nearest("colour", words), std::nullopt);
    EXPECT_EQ(nearest("x", words), std::nullopt);
    EXPECT_EQ(nearest("", words), std::nullopt);
    EXPECT_EQ(nearest(std::string(100, 'a'), words), std::nullopt);
}

}  // namespace
}  // namespace holdfast
