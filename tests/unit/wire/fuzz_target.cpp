// The entry point of the fuzzer: checks the properties that must hold for any bytes, in both directions. fuzz_test.cpp
// runs it in every build; with clang, `wire_fuzz` runs it under libFuzzer for any length of time.

#include <algorithm>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <string_view>

#include "wire/wire.hpp"

namespace holdfast::wire {
namespace {

constexpr std::size_t longest_explanation = 300;

void require(bool holds, std::string_view what, std::string_view bytes) {
    if (holds) return;
    const std::string shown = printable(bytes);
    std::fprintf(stderr, "the codec violates a property: %.*s\nwith: %s\n", static_cast<int>(what.size()), what.data(),
                 shown.c_str());
    std::abort();
}

void check_explanation(const Malformed& malformed, std::string_view bytes) {
    require(!malformed.why.empty(), "an explanation is not empty", bytes);
    require(malformed.why.size() <= longest_explanation, "an explanation is short", bytes);
    require(printable(malformed.why) == malformed.why, "an explanation is printable", bytes);
}

void check_bounds(const Report& report, std::string_view bytes) {
    require(report.sdk.size() <= max_text_bytes, "SDK is cut", bytes);
    require(!report.status || report.status->size() <= max_text_bytes, "STATUS is cut", bytes);
    require(report.held.size() <= max_held_kinds, "the number of kinds is limited", bytes);
    require(report.held.empty() || report.waiting, "counts make a drain report", bytes);
    std::size_t kept = 0;
    if (report.waiting) {
        for (const Waiting& entry : *report.waiting) {
            require(std::max(entry.kind.size(), entry.name.size()) <= max_name_bytes, "names are cut", bytes);
            require(entry.age_usec >= 0, "an age is not negative", bytes);
            kept += report_bytes_of(entry.kind, entry.name);
        }
    }
    require(kept <= max_report_bytes, "a drain report is bounded", bytes);
}

void check_report(std::string_view bytes, std::size_t descriptors) {
    const auto decoded = decode_report(bytes, descriptors);
    if (const auto* malformed = std::get_if<Malformed>(&decoded)) return check_explanation(*malformed, bytes);
    const auto& report = std::get<Report>(decoded);
    check_bounds(report, bytes);
    const std::string spelled = encode(report);
    require(spelled.empty() == (report == Report{}), "only an empty report has no packet", bytes);
    if (spelled.empty()) return;
    require(spelled.size() <= max_message_bytes, "what is encoded fits into a packet", bytes);
    const auto again = decode_report(spelled, report.barrier ? 1 : 0);
    const auto* read = std::get_if<Report>(&again);
    require(read != nullptr, "what is encoded is well-formed", bytes);
    require(*read == report, "a decoded report equals the encoded one", bytes);
    require(encode(*read) == spelled, "a report has one encoding", bytes);
}

void check_command(std::string_view bytes) {
    const auto decoded = decode_command(bytes);
    if (const auto* malformed = std::get_if<Malformed>(&decoded)) return check_explanation(*malformed, bytes);
    const auto& command = std::get<Command>(decoded);
    const std::string spelled = encode(command);
    const auto again = decode_command(spelled);
    const auto* read = std::get_if<Command>(&again);
    require(read != nullptr && *read == command, "a decoded command equals the encoded one", bytes);
    require(encode(*read) == spelled, "a command has one encoding", bytes);
}

void check_text(std::string_view bytes) {
    const std::string shown = printable(bytes);
    require(printable(shown) == shown, "printable text is unchanged", bytes);
    for (std::size_t limit = 0; limit < std::min<std::size_t>(bytes.size(), 9); ++limit) {
        const std::string_view beginning = cut(bytes, limit);
        require(beginning.size() <= limit && bytes.starts_with(beginning), "the result of cut() is a prefix", bytes);
        require(limit - beginning.size() < 4, "cut() removes at most one more character", bytes);
    }
}

}  // namespace
}  // namespace holdfast::wire

// The first byte is the number of descriptors that come with the packet, the rest is the packet.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    if (size == 0) return 0;
    const std::string packet(data + 1, data + size);
    holdfast::wire::check_report(packet, data[0] % 3U);
    holdfast::wire::check_command(packet);
    holdfast::wire::check_text(packet);
    return 0;
}
