// A short run of coverage-guided fuzzing of the codec in every build. A violation of a property in fuzz_target.cpp
// aborts the process.

#include <gtest/gtest.h>

#include <algorithm>
#include <string>
#include <vector>

#include "fuzzer.hpp"
#include "wire/wire.hpp"

namespace holdfast::wire {
namespace {

constexpr int rounds = 5'000;  // starting from messages that fill a packet
constexpr int rounds_from_nothing = 60'000;

std::vector<std::string> words() {
    std::vector<std::string> found{"=",
                                   "\n",
                                   "\x1f",
                                   "0",
                                   "1",
                                   "9223372036854775807",
                                   "9223372036854775808",
                                   "-",
                                   "\xc3\xbc",
                                   "\xf0\x9f\x99\x82",
                                   "\xff",
                                   "\x1b",
                                   std::string(1, '\0'),
                                   std::string(70, 'n'),
                                   std::string(300, 's')};
    for (const char* key : {"HELLO=1",
                            "READY=1",
                            "STOPPING=1",
                            "BARRIER=1",
                            "FDSTORE=1",
                            "SDK=cpp/1",
                            "X_HOLDFAST_STAGES=drain,",
                            "STATUS=fine",
                            "WATCHDOG=trigger",
                            "EXTEND_TIMEOUT_USEC=5",
                            "MAINPID=812",
                            "X_HOLDFAST_ACCEPTING=0",
                            "X_HOLDFAST_RELEASING=1",
                            "X_HOLDFAST_IN_FLIGHT=2",
                            "X_HOLDFAST_SERVED=7",
                            "X_HOLDFAST_HANDED_BACK=3",
                            "X_HOLDFAST_HELD=task\x1f\x34",
                            "X_HOLDFAST_WAITING=request\x1fGET /\x1f\x35",
                            "X_HOLDFAST_WAITING=",
                            "X_HOLDFAST_DRAINED=1",
                            "STAGE=drain",
                            "STAGE=cancel",
                            "DEADLINE_USEC=5",
                            "KILL_USEC=6",
                            "REASON=stop"}) {
        found.push_back("\n" + std::string(key));
    }
    return found;
}

// Includes a message near the limits, which a fuzzer would not reach from short messages.
std::vector<std::string> messages() {
    std::string full(1, '\0');
    for (int i = 0; i < 170; ++i) full += "X_HOLDFAST_WAITING=task\x1f" + std::to_string(i) + "\x1f\x37\n";
    for (int i = 0; i < 9; ++i) full += "X_HOLDFAST_HELD=" + std::to_string(i) + "\x1f\x38\n";
    return {std::string("\0READY=1", 8), std::string("\1BARRIER=1", 10), std::string("\0STAGE=run", 10), full};
}

bool decodes(const std::string& bytes, bool (*fits)(const Report&)) {
    const auto decoded = decode_report(std::string_view(bytes).substr(1), static_cast<unsigned char>(bytes[0]) % 3U);
    const auto* report = std::get_if<Report>(&decoded);
    return report != nullptr && fits(*report);
}

TEST(Fuzz, FindsNoBytesThatViolateAProperty) {
    for (const std::uint32_t seed : {1U, 20221122U, 4711U}) {
        Fuzzer fuzzer(seed, messages(), words());
        fuzzer.run(rounds);
        EXPECT_GT(fuzzer.corpus().size(), 100U);
    }
}

// Shows that the test above reaches the interesting code.
TEST(Fuzz, ReachesTheDrainReportFromATrivialMessage) {
    Fuzzer fuzzer(3, {std::string("\0A=b", 4)}, words());
    fuzzer.run(rounds_from_nothing);
    const auto& found = fuzzer.corpus();
    const auto any = [&](bool (*fits)(const Report&)) {
        return std::ranges::any_of(found, [&](const std::string& bytes) { return decodes(bytes, fits); });
    };
    EXPECT_TRUE(any([](const Report& report) { return !report.held.empty(); }));
    EXPECT_TRUE(any([](const Report& report) { return report.waiting && !report.waiting->empty(); }));
    EXPECT_TRUE(any([](const Report& report) { return report.handed_back.has_value(); }));
    EXPECT_TRUE(any([](const Report& report) { return report.barrier; }));
    EXPECT_TRUE(any([](const Report& report) { return report.drained; }));
}

TEST(Fuzz, FindsTheSameWithTheSameSeed) {
    Fuzzer one(9, messages(), words());
    Fuzzer other(9, messages(), words());
    one.run(3000);
    other.run(3000);
    EXPECT_EQ(one.corpus(), other.corpus());
    EXPECT_GT(one.corpus().size(), messages().size());
}

}  // namespace
}  // namespace holdfast::wire
