#include <algorithm>
#include <array>
#include <limits>

#include "wire/wire.hpp"

namespace holdfast::wire {

namespace {

using namespace std::string_view_literals;

// Builds KEY=VALUE lines. Values cannot contain the separators of lines or fields.
class Packet {
  public:
    void flag(std::string_view key, bool said) {
        if (said) line(key, "1");
    }

    void line(std::string_view key, std::string_view value) {
        if (!bytes_.empty()) bytes_ += '\n';
        bytes_.append(key) += '=';
        bytes_ += value;
    }

    void text(std::string_view key, std::string_view value, std::size_t limit) {
        line(key, harmless(value, "\n\0"sv, limit));
    }

    // The protocol has no negative numbers: they are omitted. Numbers beyond its range become its largest number.
    void number(std::string_view key, const std::optional<std::int64_t>& value) {
        if (value && *value >= 0) line(key, std::to_string(*value));
    }
    void number(std::string_view key, const std::optional<std::uint64_t>& value) {
        if (value) line(key, digits(*value));
    }

    static std::string digits(std::uint64_t value) {
        return std::to_string(std::min<std::uint64_t>(value, std::numeric_limits<std::int64_t>::max()));
    }

    // A field of a drain report's entry.
    static std::string field(std::string_view value) { return harmless(value, "\n\0\x1f"sv, max_name_bytes); }

    std::string take() && { return std::move(bytes_); }

  private:
    static std::string harmless(std::string_view value, std::string_view harmful, std::size_t limit) {
        std::string safe(cut(value, limit));
        std::ranges::replace_if(
            safe, [&](char c) { return harmful.find(c) != harmful.npos; }, ' ');
        return safe;
    }

    std::string bytes_;
};

std::string join(StageSet stages) {
    std::string names;
    for (Stage stage : {Stage::lame_duck, Stage::pause, Stage::run, Stage::drain, Stage::cancel}) {
        if (!stages.has(stage)) continue;
        if (!names.empty()) names += ',';
        names += name_of(stage);
    }
    return names;
}

void add_held(Packet& packet, const Report& report) {
    const std::size_t count = std::min(report.held.size(), max_held_kinds);
    for (std::size_t i = 0; i < count; ++i) {
        packet.line("X_HOLDFAST_HELD",
                    Packet::field(report.held[i].kind) + separator + Packet::digits(report.held[i].count));
    }
}

void add_waiting(Packet& packet, const Report& report) {
    if (!report.waiting) return;
    const bool says_nothing_else = !report.in_flight && report.held.empty();
    if (report.waiting->empty() && says_nothing_else) packet.line("X_HOLDFAST_WAITING", "");
    std::size_t bytes = 0;
    for (const Waiting& entry : *report.waiting) {
        const std::string kind = Packet::field(entry.kind);
        const std::string name = Packet::field(entry.name);
        bytes += report_bytes_of(kind, name);
        if (bytes > max_report_bytes) return;
        std::string value = kind + separator;
        value += name;
        value += separator;
        value += std::to_string(std::max<std::int64_t>(entry.age_usec, 0));
        packet.line("X_HOLDFAST_WAITING", value);
    }
}

}  // namespace

std::string encode(const Report& report) {
    Packet packet;
    packet.flag("HELLO", report.hello);
    if (!report.sdk.empty()) packet.text("SDK", report.sdk, max_text_bytes);
    if (report.stages) packet.line("X_HOLDFAST_STAGES", join(*report.stages));
    packet.flag("READY", report.ready);
    packet.flag("STOPPING", report.stopping);
    if (report.status) packet.text("STATUS", *report.status, max_text_bytes);
    if (report.watchdog) packet.line("WATCHDOG", *report.watchdog == Watchdog::alive ? "1" : "trigger");
    packet.number("EXTEND_TIMEOUT_USEC", report.extend_usec);
    packet.number("MAINPID", report.main_pid);
    packet.flag("BARRIER", report.barrier);
    if (report.accepting) packet.line("X_HOLDFAST_ACCEPTING", *report.accepting ? "1" : "0");
    packet.flag("X_HOLDFAST_RELEASING", report.releasing);
    packet.number("X_HOLDFAST_IN_FLIGHT", report.in_flight);
    packet.number("X_HOLDFAST_SERVED", report.served);
    packet.number("X_HOLDFAST_HANDED_BACK", report.handed_back);
    packet.number("X_HOLDFAST_LOST", report.lost);
    add_held(packet, report);
    add_waiting(packet, report);
    packet.flag("X_HOLDFAST_DRAINED", report.drained);
    return std::move(packet).take();
}

std::string encode(const Command& command) {
    Packet packet;
    packet.line("STAGE", name_of(command.stage));
    packet.number("DEADLINE_USEC", command.deadline_usec);
    packet.number("KILL_USEC", command.kill_usec);
    if (command.reason) packet.line("REASON", name_of(*command.reason));
    return std::move(packet).take();
}

}  // namespace holdfast::wire
