#include "json/parse.hpp"

#include <gtest/gtest.h>

#include <string>

namespace holdfast::json {
namespace {

constexpr Limits small_limits{.bytes = 1000, .depth = 3};

TEST(Parse, ReadsADocument) {
    const auto document = parse(R"( {"b": [1, "x"], "a": null} )", small_limits);
    ASSERT_TRUE(document);
    EXPECT_EQ(serialize(*document), R"({"b":[1,"x"],"a":null})");
}

TEST(Parse, ReportsWhatIsNotJson) {
    for (const std::string_view text :
         {"", "{", "{}x", "{} {}", "nul", "\"\xFF\"", "\"\n\"", "01", "{\"a\":}", "'a'"}) {
        const auto document = parse(text, small_limits);
        ASSERT_FALSE(document) << text;
        EXPECT_FALSE(document.error().text.empty());
    }
}

TEST(Parse, RefusesADocumentThatIsTooDeep) {
    EXPECT_TRUE(parse("[[[1]]]", small_limits));
    EXPECT_FALSE(parse("[[[[1]]]]", small_limits));
    EXPECT_FALSE(parse(R"({"a":{}})", {.bytes = 1000, .depth = 1}));
    EXPECT_FALSE(parse(std::string(1'000'000, '['), {.bytes = 1 << 20, .depth = 3}));
}

TEST(Parse, RefusesADocumentThatIsTooLarge) {
    const std::string text = "\"" + std::string(998, 'x') + "\"";
    EXPECT_TRUE(parse(text, small_limits));
    EXPECT_EQ(parse(text + " ", small_limits).error().text, "it is longer than 1000 bytes");
}

}  // namespace
}  // namespace holdfast::json
