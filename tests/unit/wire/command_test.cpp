#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

#include "wire/wire.hpp"

namespace holdfast::wire {
namespace {

std::string why_no_command(std::string_view bytes) {
    const auto decoded = decode_command(bytes);
    const auto* malformed = std::get_if<Malformed>(&decoded);
    return malformed == nullptr ? "accepted" : malformed->why;
}

TEST(Command, HasOneEncoding) {
    const Command command{Stage::lame_duck, 1000, 2000, Reason::rollback};
    EXPECT_EQ(encode(command), "STAGE=lame-duck\nDEADLINE_USEC=1000\nKILL_USEC=2000\nREASON=rollback");
    EXPECT_EQ(encode(Command{}), "STAGE=run");
}

TEST(Command, DecodesToWhatWasEncoded) {
    for (Stage stage : {Stage::run, Stage::lame_duck, Stage::pause, Stage::drain, Stage::cancel}) {
        for (Reason reason :
             {Reason::restart, Reason::stop, Reason::scale, Reason::recycle, Reason::unhealthy, Reason::rollback}) {
            const Command command{stage, 123456789, INT64_MAX, reason};
            EXPECT_EQ(std::get<Command>(decode_command(encode(command))), command);
        }
    }
}

TEST(Command, WithAnUnknownStageIsRejectedWithAReason) {
    EXPECT_EQ(why_no_command("STAGE=explode\nDEADLINE_USEC=1"),
              "STAGE takes run, lame-duck, pause, drain or cancel, not \"explode\"");
    EXPECT_EQ(why_no_command("SUCCESSOR=2.0"), "it has no STAGE");
}

TEST(Command, IgnoresUnknownReasonsAndKeys) {
    EXPECT_EQ(std::get<Command>(decode_command("STAGE=drain\nREASON=eclipse\nMOON=full\nDEADLINE_USEC=7")),
              (Command{Stage::drain, 7, std::nullopt, std::nullopt}));
}

TEST(Command, WithAnInvalidTimeIsRejected) {
    EXPECT_THAT(why_no_command("STAGE=drain\nDEADLINE_USEC=-3"),
                testing::HasSubstr("DEADLINE_USEC takes a non-negative number"));
    EXPECT_THAT(why_no_command("STAGE=drain\nKILL_USEC=soon"),
                testing::HasSubstr("KILL_USEC takes a non-negative number"));
}

TEST(Printable, KeepsTextOfEveryLanguage) { EXPECT_EQ(printable("GET /größe 雪 🙂"), "GET /größe 雪 🙂"); }

TEST(Printable, EscapesControlCharacters) {
    EXPECT_EQ(printable("a\n\t\r\x1b[2J\x7f"), "a\\n\\t\\r\\x1b[2J\\x7f");
    EXPECT_EQ(printable("\u0085\u202e\u2028"), "\\x85\\u202e\\u2028");
}

TEST(Printable, EscapesBytesThatAreNotUtf8) {
    EXPECT_EQ(printable("\xff\xc3"), "\\xff\\xc3");
    EXPECT_EQ(printable("\xe0\x80\x8a"), "\\xe0\\x80\\x8a");  // a newline in three bytes
    EXPECT_EQ(printable("\xc0\xaf \xed\xa0\x80 \xf4\x90\x80\x80"), "\\xc0\\xaf \\xed\\xa0\\x80 \\xf4\\x90\\x80\\x80");
}

TEST(Cut, EndsBetweenCharactersAndWithinTheLimit) {
    EXPECT_EQ(cut("abc", 3), "abc");
    EXPECT_EQ(cut("abcd", 3), "abc");
    EXPECT_EQ(cut("a🙂", 4), "a");
    EXPECT_EQ(cut("a🙂", 5), "a🙂");
    EXPECT_EQ(cut("🙂", 2), "");
    EXPECT_EQ(cut("\x80\x80\x80\x80\x80\x80", 5).size(), 5U);  // not UTF-8, so there is no character boundary
}

}  // namespace
}  // namespace holdfast::wire
