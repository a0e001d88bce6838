#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

#include "wire/wire.hpp"

namespace holdfast::wire {
namespace {

using namespace std::string_literals;
using testing::HasSubstr;

Report decoded_report(std::string_view bytes, std::size_t descriptors = 0) {
    const auto decoded = decode_report(bytes, descriptors);
    if (const auto* malformed = std::get_if<Malformed>(&decoded)) {
        ADD_FAILURE() << "refused: " << malformed->why;
        return {};
    }
    return std::get<Report>(decoded);
}

std::string why_no_report(std::string_view bytes, std::size_t descriptors = 0) {
    const auto decoded = decode_report(bytes, descriptors);
    const auto* malformed = std::get_if<Malformed>(&decoded);
    return malformed == nullptr ? "accepted" : malformed->why;
}

TEST(Report, CarriesEveryKeyOfTheProtocol) {
    const Report report = decoded_report(
        "HELLO=1\nSDK=cpp/1.0\nX_HOLDFAST_STAGES=pause,drain\nREADY=1\nSTOPPING=1\nSTATUS=fine\nWATCHDOG=trigger\n"
        "EXTEND_TIMEOUT_USEC=5000000\nMAINPID=812\nX_HOLDFAST_ACCEPTING=0\nX_HOLDFAST_RELEASING=1\n"
        "X_HOLDFAST_IN_FLIGHT=2\nX_HOLDFAST_SERVED=77\nX_HOLDFAST_HANDED_BACK=4\nX_HOLDFAST_LOST=1\nX_HOLDFAST_HELD="
        "request\x1f"
        "2\nX_HOLDFAST_HELD=work\x1f"
        "5\nX_HOLDFAST_WAITING=request\x1fGET /\x1f"
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
    expected.handed_back = 4;
    expected.lost = 1;
    expected.held = {{.kind = "request", .count = 2}, {.kind = "work", .count = 5}};
    expected.waiting = {{.kind = "request", .name = "GET /", .age_usec = 1200}};
    EXPECT_EQ(report, expected);
}

TEST(Report, IgnoresUnknownKeys) {
    EXPECT_EQ(
        decoded_report("ERRNO=2\nBUSERROR=org.x\nRELOADING=1\nMONOTONIC_USEC=abc\nWATCHDOG_USEC=-1\nFDNAME=x\nLATER=y"),
        Report{});
}

TEST(Report, IgnoresUnknownStages) {
    const Report report = decoded_report("X_HOLDFAST_STAGES=warm-up,drain,,x");
    ASSERT_TRUE(report.stages.has_value());
    EXPECT_TRUE(report.stages->has(Stage::drain));
    EXPECT_EQ(report.stages->bits, 1U << static_cast<unsigned>(Stage::drain));
}

TEST(Report, TreatsAFlagOfZeroAsAbsent) { EXPECT_EQ(decoded_report("READY=0\nSTOPPING=0"), Report{}); }

TEST(Report, WithCountsOnlyReplacesEarlierEntries) {
    for (const char* bytes : {"X_HOLDFAST_IN_FLIGHT=0", "X_HOLDFAST_WAITING=", "X_HOLDFAST_HELD=task\x1f\x33"}) {
        const Report report = decoded_report(bytes);
        ASSERT_TRUE(report.waiting.has_value()) << bytes;
        EXPECT_TRUE(report.waiting->empty()) << bytes;
    }
    EXPECT_FALSE(decoded_report("READY=1").waiting.has_value());
    EXPECT_FALSE(decoded_report("X_HOLDFAST_SERVED=9\nX_HOLDFAST_HANDED_BACK=1").waiting.has_value());
}

// Each entry counts as its kind, its name and 24 bytes.
TEST(Report, KeepsTheFirstFourKibibytesOfEntries) {
    const std::string kind(24, 'k');
    const std::string name(52, 'n');
    std::string bytes = "X_HOLDFAST_IN_FLIGHT=60";
    for (int i = 10; i < 70; ++i) {
        bytes += "\nX_HOLDFAST_WAITING=" + kind + "\x1f" + name + std::to_string(i) + "\x1f\x35";
    }
    bytes +=
        "\nX_HOLDFAST_WAITING=a\x1f"
        "b\x1f\x35";  // would fit
    const Report report = decoded_report(bytes);
    ASSERT_EQ(report.waiting->size(), max_report_bytes / (24 + 54 + 24));
    EXPECT_EQ(report.waiting->back().name, name + "49");
}

TEST(Report, KeepsEntriesUpToExactlyTheLimit) {
    std::string bytes;
    for (int i = 0; i < 64; ++i) bytes += "X_HOLDFAST_WAITING=" + std::string(40, 'x') + "\x1f\x1f\x30\n";
    EXPECT_EQ(decoded_report(bytes).waiting->size(), 64U);
    EXPECT_EQ(decoded_report("X_HOLDFAST_WAITING=\x1fy\x1f\x30\n" + bytes).waiting->size(), 64U);
}

// The worst case in one packet: discarded entries cost no memory.
TEST(Report, WithThousandsOfTinyEntriesStaysSmall) {
    const std::string entry = "X_HOLDFAST_WAITING=\x1f\x1f\x30\n";
    const std::string held = "X_HOLDFAST_HELD=\x1f\x30\n";
    std::string bytes;
    while (bytes.size() + entry.size() + held.size() <= max_message_bytes) bytes += entry + held;
    const Report report = decoded_report(bytes);
    EXPECT_EQ(report.waiting->size(), max_report_bytes / 24);
    EXPECT_EQ(report.held.size(), 1U);
    std::string kinds;
    for (int i = 0; i < 2000; ++i) kinds += "X_HOLDFAST_HELD=" + std::to_string(i) + "\x1f\x31\n";
    EXPECT_EQ(decoded_report(kinds).held.size(), max_held_kinds);
}

TEST(Report, KeepsTheLastCountOfAKind) {
    const Report report =
        decoded_report("X_HOLDFAST_HELD=task\x1f\x33\nX_HOLDFAST_HELD=work\x1f\x31\nX_HOLDFAST_HELD=task\x1f\x32");
    EXPECT_EQ(report.held, (std::vector<HeldCount>{{.kind = "task", .count = 2}, {.kind = "work", .count = 1}}));
}

TEST(Report, TruncatesTextBetweenCharacters) {
    const std::string umlauts = [] {
        std::string text = "x";
        for (int i = 0; i < 200; ++i) text += "ü";
        return text;
    }();
    const Report report =
        decoded_report("STATUS=" + umlauts + "\nX_HOLDFAST_WAITING=request\x1f" + umlauts + "\x1f" + "1");
    EXPECT_EQ(report.status, umlauts.substr(0, 255));
    EXPECT_EQ(report.waiting->front().name, umlauts.substr(0, 63));
}

TEST(Report, IsMalformedWhenEmpty) {
    EXPECT_EQ(why_no_report(""), "it is empty");
    EXPECT_EQ(why_no_report("\n\n"), "it is empty");
}

TEST(Report, IsMalformedWithoutAnEqualsSign) {
    EXPECT_EQ(why_no_report("READY=1\nnonsense\x1b"), "a line has no '=': \"nonsense\\x1b\"");
    EXPECT_THAT(why_no_report("=1"), HasSubstr("no key"));
}

TEST(Report, IsMalformedWithANulByte) { EXPECT_EQ(why_no_report("READY=1\0"s), "it contains a NUL byte"); }

TEST(Report, IsMalformedWhenOverlong) {
    const std::string longest = "X=" + std::string(max_message_bytes - 2, 'y');
    EXPECT_EQ(why_no_report(longest), "accepted");
    EXPECT_EQ(why_no_report(longest + "y"), "it is longer than 65536 bytes");
}

TEST(Report, IsMalformedWithAnInvalidNumber) {
    for (const char* key :
         {"X_HOLDFAST_IN_FLIGHT", "X_HOLDFAST_SERVED", "X_HOLDFAST_HANDED_BACK", "EXTEND_TIMEOUT_USEC", "MAINPID"}) {
        for (const char* value : {"", "-1", "+1", " 1", "1 ", "0x1", "1.5", "many", "99999999999999999999"}) {
            EXPECT_THAT(why_no_report(std::string(key) + "=" + value), HasSubstr(key)) << value;
        }
    }
    for (const char* key : {"X_HOLDFAST_IN_FLIGHT=", "X_HOLDFAST_HANDED_BACK=", "X_HOLDFAST_HELD=task\x1f",
                            "X_HOLDFAST_WAITING=task\x1f\x1f", "EXTEND_TIMEOUT_USEC="}) {
        EXPECT_EQ(why_no_report(key + std::to_string(INT64_MAX)), "accepted");
        EXPECT_THAT(why_no_report(std::string(key) + "9223372036854775808"), HasSubstr("takes a")) << key;
    }
    EXPECT_THAT(why_no_report("MAINPID=0"), HasSubstr("a process id"));
    EXPECT_THAT(why_no_report("MAINPID=2147483648"), HasSubstr("a process id"));
}

TEST(Report, IsMalformedWithAFlagThatIsNeitherZeroNorOne) {
    for (const char* key : {"HELLO", "READY", "STOPPING", "BARRIER", "FDSTORE", "X_HOLDFAST_RELEASING",
                            "X_HOLDFAST_DRAINED", "X_HOLDFAST_ACCEPTING", "WATCHDOG"}) {
        EXPECT_THAT(why_no_report(std::string(key) + "=2"), HasSubstr(std::string(key) + " takes")) << key;
    }
}

TEST(Report, IsMalformedWithAnInvalidEntry) {
    for (const char* value : {"request", "request\x1fname", "request\x1fname\x1f", "request\x1fname\x1f-5",
                              "request\x1fname\x1f\x35\x1f"}) {
        EXPECT_THAT(why_no_report(std::string("X_HOLDFAST_WAITING=") + value), HasSubstr("X_HOLDFAST_WAITING takes"));
    }
    EXPECT_EQ(why_no_report("X_HOLDFAST_HELD=task"),
              "X_HOLDFAST_HELD takes kind and number separated by \\x1f, not \"task\"");
    for (const char* value : {"", "task", "task\x1f", "task\x1f-1", "task\x1fmany", "task\x1f\x31\x1f"}) {
        EXPECT_THAT(why_no_report(std::string("X_HOLDFAST_HELD=") + value), HasSubstr("X_HOLDFAST_HELD takes"));
    }
}

TEST(Report, IsMalformedWithUnannouncedDescriptors) {
    EXPECT_EQ(why_no_report("READY=1", 2), "it announces no descriptor, but 2 came with it");
    EXPECT_EQ(why_no_report("BARRIER=1", 1), "accepted");
    EXPECT_EQ(why_no_report("BARRIER=1", 0), "BARRIER=1 takes one descriptor, not 0");
    EXPECT_EQ(why_no_report("BARRIER=1\nFDSTORE=1", 2), "BARRIER=1 takes one descriptor, not 2");
    EXPECT_EQ(why_no_report("FDSTORE=1\nFDNAME=x", 3), "accepted");
    EXPECT_EQ(why_no_report("FDSTORE=0\nFDNAME=x", 3), "it announces no descriptor, but 3 came with it");
}

TEST(Report, IsMalformedIfOneOfItsLinesIs) { EXPECT_NE(why_no_report("READY=1\nSTOPPING=x"), "accepted"); }

TEST(Report, EscapesSeparatorsInNames) {
    Report report;
    report.in_flight = 1;
    report.waiting = {{.kind = "request",
                       .name = "GET /a\nREADY=1\x1f"
                               "0"s +
                               '\0',
                       .age_usec = 3}};
    const Report read = decoded_report(encode(report));
    EXPECT_FALSE(read.ready);
    EXPECT_EQ(read.waiting->front().name, "GET /a READY=1 0 ");
    EXPECT_EQ(read.waiting->front().age_usec, 3);
}

TEST(Report, StaysWithinTheLimitForAnyContent) {
    Report report;
    report.in_flight = UINT64_MAX;
    report.status = std::string(100000, 's');
    report.held.assign(100, HeldCount{std::string(1000, 'k'), UINT64_MAX});
    report.waiting.emplace(100, Waiting{std::string(1000, 'k'), std::string(1000, 'n'), INT64_MAX});
    EXPECT_LE(encode(report).size(), 2 * max_report_bytes);
    const Report read = decoded_report(encode(report));
    EXPECT_EQ(read.waiting->size(), max_report_bytes / (2 * max_name_bytes + 24));
    EXPECT_EQ(read.held, (std::vector<HeldCount>{{std::string(max_name_bytes, 'k'), INT64_MAX}}));
    EXPECT_EQ(read.in_flight, std::uint64_t{INT64_MAX});
}

}  // namespace
}  // namespace holdfast::wire
