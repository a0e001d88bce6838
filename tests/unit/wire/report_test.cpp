#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

#include "wire/wire.hpp"

namespace holdfast::wire {
namespace {

using namespace std::string_literals;
using testing::HasSubstr;

Report said(std::string_view bytes, std::size_t descriptors = 0) {
    const auto decoded = decode_report(bytes, descriptors);
    if (const auto* malformed = std::get_if<Malformed>(&decoded)) {
        ADD_FAILURE() << "refused: " << malformed->why;
        return {};
    }
    return std::get<Report>(decoded);
}

std::string why_not(std::string_view bytes, std::size_t descriptors = 0) {
    const auto decoded = decode_report(bytes, descriptors);
    const auto* malformed = std::get_if<Malformed>(&decoded);
    return malformed == nullptr ? "accepted" : malformed->why;
}

TEST(Report, CarriesEveryKeyOfTheProtocol) {
    const Report report = said(
        "HELLO=1\nSDK=cpp/1.0\nX_HOLDFAST_STAGES=pause,drain\nREADY=1\nSTOPPING=1\nSTATUS=fine\nWATCHDOG=trigger\n"
        "EXTEND_TIMEOUT_USEC=5000000\nMAINPID=812\nX_HOLDFAST_ACCEPTING=0\nX_HOLDFAST_RELEASING=1\n"
        "X_HOLDFAST_IN_FLIGHT=2\nX_HOLDFAST_SERVED=77\nX_HOLDFAST_WAITING=request\x1fGET /\x1f"
        "1200\nX_HOLDFAST_DRAINED=1\n");
    Report expected;
    expected.hello = expected.ready = expected.stopping = expected.releasing = expected.drained = true;
    expected.sdk = "cpp/1.0";
    expected.stages.emplace();
    expected.stages->add(Stage::pause);
    expected.stages->add(Stage::drain);
    expected.status = "fine";
    expected.watchdog = Watchdog::trigger;
    expected.extend_usec = 5000000;
    expected.main_pid = 812;
    expected.accepting = false;
    expected.in_flight = 2;
    expected.served = 77;
    expected.waiting = {{.kind = "request", .name = "GET /", .age_usec = 1200}};
    EXPECT_EQ(report, expected);
}

TEST(Report, IgnoresKeysItDoesNotKnow) {
    EXPECT_EQ(said("ERRNO=2\nBUSERROR=org.x\nRELOADING=1\nMONOTONIC_USEC=abc\nWATCHDOG_USEC=-1\nFDNAME=x\nLATER=y"),
              Report{});
}

TEST(Report, IgnoresStagesItDoesNotKnow) {
    const Report report = said("X_HOLDFAST_STAGES=warm-up,drain,,x");
    ASSERT_TRUE(report.stages.has_value());
    EXPECT_TRUE(report.stages->has(Stage::drain));
    EXPECT_EQ(report.stages->bits, 1U << static_cast<unsigned>(Stage::drain));
}

TEST(Report, TakesZeroAsAFlagThatIsNotSaid) { EXPECT_EQ(said("READY=0\nSTOPPING=0"), Report{}); }

TEST(Report, OfCountsAloneReplacesWhatWasWaiting) {
    const Report report = said("X_HOLDFAST_IN_FLIGHT=0");
    ASSERT_TRUE(report.waiting.has_value());
    EXPECT_TRUE(report.waiting->empty());
    EXPECT_FALSE(said("READY=1").waiting.has_value());
    EXPECT_TRUE(said("X_HOLDFAST_WAITING=").waiting.has_value());
}

TEST(Report, KeepsTheSixteenFirstEntries) {
    std::string bytes = "X_HOLDFAST_IN_FLIGHT=40";
    for (int i = 0; i < 40; ++i) bytes += "\nX_HOLDFAST_WAITING=task\x1f" + std::to_string(i) + "\x1f" + "5";
    const Report report = said(bytes);
    ASSERT_EQ(report.waiting->size(), 16U);
    EXPECT_EQ(report.waiting->back().name, "15");
}

TEST(Report, CutsTextBetweenCharacters) {
    const std::string umlauts = [] {
        std::string text = "x";
        for (int i = 0; i < 200; ++i) text += "ü";
        return text;
    }();
    const Report report = said("STATUS=" + umlauts + "\nX_HOLDFAST_WAITING=request\x1f" + umlauts + "\x1f" + "1");
    EXPECT_EQ(report.status, umlauts.substr(0, 255));
    EXPECT_EQ(report.waiting->front().name, umlauts.substr(0, 63));
}

TEST(Report, IsMalformedWhenEmpty) {
    EXPECT_EQ(why_not(""), "it is empty");
    EXPECT_EQ(why_not("\n\n"), "it is empty");
}

TEST(Report, IsMalformedWithoutAnEqualsSign) {
    EXPECT_EQ(why_not("READY=1\nnonsense\x1b"), "a line has no '=': \"nonsense\\x1b\"");
    EXPECT_THAT(why_not("=1"), HasSubstr("no key"));
}

TEST(Report, IsMalformedWithANulByte) { EXPECT_EQ(why_not("READY=1\0"s), "it contains a NUL byte"); }

TEST(Report, IsMalformedWhenOverlong) {
    const std::string longest = "X=" + std::string(max_message_bytes - 2, 'y');
    EXPECT_EQ(why_not(longest), "accepted");
    EXPECT_EQ(why_not(longest + "y"), "it is longer than 65536 bytes");
}

TEST(Report, IsMalformedWithANumberThatIsNone) {
    for (const char* key : {"X_HOLDFAST_IN_FLIGHT", "X_HOLDFAST_SERVED", "EXTEND_TIMEOUT_USEC", "MAINPID"}) {
        for (const char* value : {"", "-1", "+1", " 1", "1 ", "0x1", "1.5", "many", "99999999999999999999"}) {
            EXPECT_THAT(why_not(std::string(key) + "=" + value), HasSubstr(key)) << value;
        }
    }
    EXPECT_THAT(why_not("EXTEND_TIMEOUT_USEC=9223372036854775808"), HasSubstr("takes a number"));
    EXPECT_THAT(why_not("MAINPID=0"), HasSubstr("number of a process"));
    EXPECT_THAT(why_not("MAINPID=2147483648"), HasSubstr("number of a process"));
}

TEST(Report, IsMalformedWithAFlagThatIsNeitherZeroNorOne) {
    for (const char* key : {"HELLO", "READY", "STOPPING", "BARRIER", "FDSTORE", "X_HOLDFAST_RELEASING",
                            "X_HOLDFAST_DRAINED", "X_HOLDFAST_ACCEPTING", "WATCHDOG"}) {
        EXPECT_THAT(why_not(std::string(key) + "=2"), HasSubstr(std::string(key) + " takes")) << key;
    }
}

TEST(Report, IsMalformedWithAnEntryOfTheWrongShape) {
    for (const char* value : {"request", "request\x1fname", "request\x1fname\x1f", "request\x1fname\x1f-5",
                              "request\x1fname\x1f\x35\x1f"}) {
        EXPECT_THAT(why_not(std::string("X_HOLDFAST_WAITING=") + value), HasSubstr("X_HOLDFAST_WAITING takes"));
    }
}

TEST(Report, IsMalformedWithDescriptorsThatNobodyAnnounced) {
    EXPECT_EQ(why_not("READY=1", 2), "2 descriptors that it does not announce");
    EXPECT_EQ(why_not("BARRIER=1", 1), "accepted");
    EXPECT_EQ(why_not("BARRIER=1", 0), "BARRIER=1 takes one descriptor, not 0");
    EXPECT_EQ(why_not("BARRIER=1\nFDSTORE=1", 2), "BARRIER=1 takes one descriptor, not 2");
    EXPECT_EQ(why_not("FDSTORE=1\nFDNAME=x", 3), "accepted");
    EXPECT_EQ(why_not("FDSTORE=0\nFDNAME=x", 3), "3 descriptors that it does not announce");
}

TEST(Report, ChangesNothingWhenOneOfItsLinesIsMalformed) { EXPECT_NE(why_not("READY=1\nSTOPPING=x"), "accepted"); }

TEST(Report, CannotBeBrokenOutOfByANameOfTheApplication) {
    Report report;
    report.in_flight = 1;
    report.waiting = {{.kind = "request",
                       .name = "GET /a\nREADY=1\x1f"
                               "0"s +
                               '\0',
                       .age_usec = 3}};
    const Report read = said(encode(report));
    EXPECT_FALSE(read.ready);
    EXPECT_EQ(read.waiting->front().name, "GET /a READY=1 0 ");
    EXPECT_EQ(read.waiting->front().age_usec, 3);
}

TEST(Report, StaysWithinTheLimitWhateverItHolds) {
    Report report;
    report.status = std::string(100000, 's');
    report.waiting.emplace(100, Waiting{std::string(1000, 'k'), std::string(1000, 'n'), INT64_MAX});
    EXPECT_LE(encode(report).size(), max_report_bytes + max_text_bytes);
    EXPECT_EQ(said(encode(report)).waiting->size(), max_waiting_entries);
}

}  // namespace
}  // namespace holdfast::wire
