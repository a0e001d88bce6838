#include "json/writer.hpp"

#include <gtest/gtest.h>

#include <chrono>
#include <string>

#include "json/parse.hpp"

namespace holdfast::json {
namespace {

using namespace std::chrono_literals;

constexpr Limits any_limits{.bytes = 1 << 20, .depth = 4};

std::string written(std::string_view text, ControlCharacters controls = ControlCharacters::keep) {
    return Writer(controls).value(text).take();
}

// What a reader of the JSON gets.
std::string decoded(std::string_view text, ControlCharacters controls = ControlCharacters::keep) {
    const auto document = parse(written(text, controls), any_limits);
    if (!document || !document->is_string()) return "not valid JSON: " + written(text, controls);
    return std::string(document->get_string());
}

TEST(Writer, KeepsTheOrderOfMembersAndPlainNumbers) {
    Writer json;
    json.open_object().member("b", 12345678901).member("a", "x").member("since_s", Duration{12s + 500ms});
    json.member("none", std::optional<int>{}).member("some", std::optional<bool>{true});
    json.key("list").open_array().value(1).value("y").open_object().close_object().close_array();
    EXPECT_EQ(json.close_object().take(),
              R"({"b":12345678901,"a":"x","since_s":12.500,"none":null,"some":true,"list":[1,"y",{}]})");
}

TEST(Writer, WritesDurationsInSecondsWithThreeDecimals) {
    const auto seconds = [](Duration duration) { return Writer().value(duration).take(); };
    EXPECT_EQ(seconds(0us), "0.000");
    EXPECT_EQ(seconds(1999us), "0.001");
    EXPECT_EQ(seconds(-5s), "0.000");
    EXPECT_EQ(seconds(std::chrono::hours{24 * 365}), "31536000.000");
}

TEST(Writer, EscapesStrings) {
    EXPECT_EQ(written("a \"b\" \\ /"), R"("a \"b\" \\ /")");
    EXPECT_EQ(written("\x1b[2J"), R"("\u001b[2J")");
    EXPECT_EQ(decoded(std::string("a\0b\n\t", 5)), std::string("a\0b\n\t", 5));
    EXPECT_EQ(written("caf\xC3\xA9 \xE2\x82\xAC \xF0\x9F\x90\x9D"), "\"caf\xC3\xA9 \xE2\x82\xAC \xF0\x9F\x90\x9D\"");
}

TEST(Writer, WritesValidJsonForBytesThatAreNotUtf8) {
    EXPECT_EQ(decoded("\xFF quote\" back\\"), R"(\xff quote" back\)");
    EXPECT_EQ(decoded("\xC3"), R"(\xc3)");                          // truncated
    EXPECT_EQ(decoded("\xC0\xAF"), R"(\xc0\xaf)");                  // overlong
    EXPECT_EQ(decoded("\xED\xA0\x80"), R"(\xed\xa0\x80)");          // a surrogate
    EXPECT_EQ(decoded("\xF4\x90\x80\x80"), R"(\xf4\x90\x80\x80)");  // above U+10FFFF
    EXPECT_EQ(decoded("\xE2\x82"
                      "a"),
              R"(\xe2\x82a)");
}

TEST(Writer, SpellsControlCharactersInHexadecimalForTerminals) {
    EXPECT_EQ(decoded("\x1b[2J\n\x7f", ControlCharacters::hexadecimal), R"(\x1b[2J\x0a\x7f)");
    EXPECT_EQ(decoded("\xC2\x9B", ControlCharacters::hexadecimal), R"(\xc2\x9b)");  // C1
    EXPECT_EQ(decoded("\xC2\xA0\xFF", ControlCharacters::hexadecimal), "\xC2\xA0\\xff");
}

TEST(Writer, WritesStringsLongerThanItsBuffer) {
    std::string text;
    while (text.size() < 100'000) text += "\"\\\n\xF0\x9F\x90\x9D plain";
    EXPECT_EQ(decoded(text), text);
}

TEST(Writer, WritesEveryByteSequenceAsValidJson) {
    for (unsigned first = 0; first < 256; ++first) {
        for (unsigned second = 0; second < 256; ++second) {
            const std::string text{static_cast<char>(first), static_cast<char>(second)};
            for (const auto controls : {ControlCharacters::keep, ControlCharacters::hexadecimal}) {
                ASSERT_EQ(decoded(text, controls), make_valid(text, controls)) << first << ' ' << second;
            }
        }
    }
}

}  // namespace
}  // namespace holdfast::json
