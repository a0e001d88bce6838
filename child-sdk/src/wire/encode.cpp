#include <algorithm>
#include <array>
#include <charconv>

#include "wire/wire.hpp"

namespace holdfast::wire {

namespace {

using namespace std::string_view_literals;

// What is kept of a drain report fits its limit whatever the entries are: no further count is needed.
static_assert(max_waiting_entries * (2 * max_name_bytes + 24) <= max_report_bytes);

constexpr char separator = '\x1f';

// Builds KEY=VALUE lines. Values cannot break out of their line or field.
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

    // Negative numbers do not exist in the protocol: they are left out.
    template <class Number>
    void number(std::string_view key, const std::optional<Number>& value) {
        if (value && *value >= Number{0}) line(key, std::to_string(*value));
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

void add_waiting(Packet& packet, const Report& report) {
    if (!report.waiting) return;
    if (report.waiting->empty() && !report.in_flight) packet.line("X_HOLDFAST_WAITING", "");
    const std::size_t count = std::min(report.waiting->size(), max_waiting_entries);
    for (std::size_t i = 0; i < count; ++i) {
        const Waiting& entry = (*report.waiting)[i];
        std::string value = Packet::field(entry.kind) + separator;
        value += Packet::field(entry.name) + separator;
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
