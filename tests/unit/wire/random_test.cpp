#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <random>
#include <string>

#include "wire/wire.hpp"

namespace holdfast::wire {
namespace {

constexpr int rounds = 200'000;

// Generates valid messages, and damages them as a faulty or hostile peer could. Deterministic for a seed.
class Generator {
  public:
    explicit Generator(std::uint32_t seed) : random_(seed) {}

    std::uint64_t below(std::uint64_t limit) {
        return std::uniform_int_distribution<std::uint64_t>(0, limit - 1)(random_);
    }
    bool chance(std::uint64_t in) { return below(in) == 0; }
    std::int64_t number() { return static_cast<std::int64_t>(below(1ULL << below(64)) & INT64_MAX); }

    std::string text(std::size_t limit) {
        constexpr std::array<const char*, 8> pieces{"a", "GET /", "=", "ü", "🙂", "\x1b", "\xff", " "};
        std::string result;
        for (auto wanted = below(limit + 1); result.size() < wanted;) {
            const std::string piece = pieces[below(pieces.size())];
            if (result.size() + piece.size() > limit) break;
            result += piece;
        }
        return result;
    }

    Report report() {
        Report report;
        report.hello = chance(3);
        if (chance(3)) report.sdk = text(max_text_bytes);
        if (chance(3)) report.stages = StageSet{static_cast<std::uint8_t>(below(32))};
        report.ready = chance(2);
        report.stopping = chance(3);
        if (chance(3)) report.status = text(max_text_bytes);
        if (chance(3)) report.watchdog = chance(2) ? Watchdog::alive : Watchdog::trigger;
        if (chance(3)) report.extend_usec = number();
        if (chance(3)) report.main_pid = 1 + static_cast<std::int64_t>(below(INT32_MAX));
        report.barrier = chance(9);
        if (chance(3)) report.accepting = chance(2);
        report.releasing = chance(3);
        if (chance(2)) report.in_flight = static_cast<std::uint64_t>(number());
        if (chance(3)) report.served = static_cast<std::uint64_t>(number());
        if (chance(3)) report.handed_back = static_cast<std::uint64_t>(number());
        if (chance(3)) report.lost = static_cast<std::uint64_t>(number());
        if (report.in_flight || chance(3)) add_drain_report(report);
        report.drained = chance(3);
        return report;
    }

    void add_drain_report(Report& report) {
        report.waiting.emplace();
        for (auto n = below(max_report_bytes / (2 * max_name_bytes + 24) + 1); n > 0; --n) {
            report.waiting->push_back({text(max_name_bytes), text(max_name_bytes), number()});
        }
        for (auto n = below(max_held_kinds + 1); n > 0; --n) {
            report.held.push_back({std::to_string(n) + text(max_name_bytes - 1), static_cast<std::uint64_t>(number())});
        }
    }

    void damage(std::string& bytes) {
        for (auto n = 1 + below(4); n > 0 && !bytes.empty(); --n) {
            const std::size_t at = below(bytes.size());
            switch (below(5)) {
                case 0:
                    bytes[at] = static_cast<char>(below(256));
                    break;
                case 1:
                    bytes.erase(at, 1 + below(8));
                    break;
                case 2:
                    bytes.insert(at, 1 + below(4), "\n=\x1f\0-9"[below(6)]);
                    break;
                case 3:
                    bytes.insert(at, bytes.substr(below(bytes.size()), 12));
                    break;
                default:
                    bytes.resize(at);
                    break;
            }
        }
    }

  private:
    std::mt19937 random_;
};

TEST(Codec, RoundTripsEveryReport) {
    Generator generator(20221122);
    for (int i = 0; i < rounds / 10; ++i) {
        const Report report = generator.report();
        if (report == Report{}) continue;  // an empty report has no packet
        const auto decoded = decode_report(encode(report), report.barrier ? 1 : 0);
        ASSERT_TRUE(std::holds_alternative<Report>(decoded)) << std::get<Malformed>(decoded).why;
        ASSERT_EQ(std::get<Report>(decoded), report) << encode(report);
    }
}

TEST(Codec, HandlesDamagedMessages) {
    Generator generator(77);
    int accepted = 0;
    int refused = 0;
    std::string base = encode(generator.report());
    for (int i = 0; i < rounds; ++i) {
        if (i % 50 == 0) base = encode(generator.report());
        std::string bytes = base;
        generator.damage(bytes);
        const std::size_t descriptors = generator.below(3);
        const auto decoded = decode_report(bytes, descriptors);
        if (const auto* malformed = std::get_if<Malformed>(&decoded)) {
            ++refused;
            ASSERT_FALSE(malformed->why.empty());
            ASSERT_LE(malformed->why.size(), 300U);
            continue;
        }
        ++accepted;
        const auto& report = std::get<Report>(decoded);
        if (report == Report{}) continue;
        ASSERT_EQ(std::get<Report>(decode_report(encode(report), report.barrier ? 1 : 0)), report);
    }
    EXPECT_GT(accepted, rounds / 20);
    EXPECT_GT(refused, rounds / 20);
}

TEST(Codec, HandlesRandomBytes) {
    Generator generator(5);
    for (int i = 0; i < rounds; ++i) {
        std::string bytes(generator.below(40), '\0');
        for (char& c : bytes) c = static_cast<char>(generator.below(256));
        std::ignore = decode_report(bytes, 0);
        std::ignore = decode_command(bytes);
        const std::string shown = printable(bytes);
        ASSERT_EQ(printable(shown), shown);
        ASSERT_TRUE(std::ranges::none_of(shown, [](unsigned char c) { return c < 0x20 || c == 0x7f; }));
    }
}

}  // namespace
}  // namespace holdfast::wire
