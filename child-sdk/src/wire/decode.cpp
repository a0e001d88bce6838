#include <algorithm>
#include <array>
#include <charconv>
#include <limits>
#include <utility>

#include "wire/wire.hpp"

namespace holdfast::wire {

namespace {

constexpr std::size_t quoted_bytes = 40;  // of a message that an explanation quotes

using Verdict = std::optional<Malformed>;  // empty: the line is accepted

std::string quote(std::string_view text) {
    const std::string_view shown = cut(text, quoted_bytes);
    return '"' + printable(shown) + (shown.size() < text.size() ? "...\"" : "\"");
}

Malformed wrong_value(std::string_view key, std::string_view accepted, std::string_view value) {
    return {std::string(key) + " takes " + std::string(accepted) + ", not " + quote(value)};
}

constexpr std::uint64_t largest_number = std::numeric_limits<std::int64_t>::max();

// Accepts digits only: no sign, no space, no overflow.
std::optional<std::uint64_t> number_in(std::string_view text, std::uint64_t largest = largest_number) {
    const bool digits = !text.empty() && std::ranges::all_of(text, [](char c) { return c >= '0' && c <= '9'; });
    std::uint64_t value = 0;
    if (!digits || std::from_chars(text.data(), text.data() + text.size(), value).ec != std::errc{}) return {};
    if (value > largest) return std::nullopt;
    return value;
}

template <class Number>
Verdict set_number(std::string_view key, std::string_view value, std::optional<Number>& target) {
    const auto number = number_in(value);
    if (!number) return wrong_value(key, "a non-negative number", value);
    target = static_cast<Number>(*number);
    return std::nullopt;
}

// A flag is set by 1. 0 has no effect, as in sd_notify(3).
Verdict set_flag(std::string_view key, std::string_view value, bool& target) {
    if (value != "1" && value != "0") return wrong_value(key, "1", value);
    target = target || value == "1";
    return std::nullopt;
}

Verdict set_accepting(std::string_view key, std::string_view value, Report& report) {
    if (value != "1" && value != "0") return wrong_value(key, "0 or 1", value);
    report.accepting = value == "1";
    return std::nullopt;
}

Verdict set_watchdog(std::string_view key, std::string_view value, Report& report) {
    if (value != "1" && value != "trigger") return wrong_value(key, "1 or trigger", value);
    report.watchdog = value == "1" ? Watchdog::alive : Watchdog::trigger;
    return std::nullopt;
}

Verdict set_main_pid(std::string_view key, std::string_view value, Report& report) {
    const auto pid = number_in(value, std::numeric_limits<std::int32_t>::max());
    if (!pid || *pid == 0) return wrong_value(key, "a process id", value);
    report.main_pid = static_cast<std::int64_t>(*pid);
    return std::nullopt;
}

// Skips unknown stages: this side will never send them.
Verdict set_stages(std::string_view value, Report& report) {
    report.stages.emplace();
    while (!value.empty()) {
        const std::size_t end = std::min(value.find(','), value.size());
        if (const auto stage = stage_of(value.substr(0, end))) report.stages->add(*stage);
        value.remove_prefix(std::min(end + 1, value.size()));
    }
    return std::nullopt;
}

// Builds the drain report of one message, and discards entries beyond the limit as they are read.
class DrainReport {
  public:
    Verdict add_waiting(std::string_view key, std::string_view value, Report& report) {
        if (!report.waiting) report.waiting.emplace();
        if (value.empty()) return std::nullopt;  // an empty report
        const std::size_t first = value.find(separator);
        const std::size_t second = first == std::string_view::npos ? first : value.find(separator, first + 1);
        if (second == std::string_view::npos) return wrong_value(key, "kind, name and age separated by \\x1f", value);
        const auto age = number_in(value.substr(second + 1));
        if (!age) return wrong_value(key, "an age in microseconds", value.substr(second + 1));
        const std::string_view kind = cut(value.substr(0, first), max_name_bytes);
        const std::string_view name = cut(value.substr(first + 1, second - first - 1), max_name_bytes);
        // Counts discarded entries as well, so that all entries after the first one discarded are discarded.
        bytes_ += report_bytes_of(kind, name);
        if (bytes_ > max_report_bytes) return std::nullopt;
        report.waiting->push_back(
            {.kind = std::string(kind), .name = std::string(name), .age_usec = static_cast<std::int64_t>(*age)});
        return std::nullopt;
    }

    static Verdict add_held(std::string_view key, std::string_view value, Report& report) {
        if (!report.waiting) report.waiting.emplace();
        const std::size_t end = value.find(separator);
        if (end == std::string_view::npos) return wrong_value(key, "kind and number separated by \\x1f", value);
        const auto count = number_in(value.substr(end + 1));
        if (!count) return wrong_value(key, "a non-negative number", value.substr(end + 1));
        const std::string_view kind = cut(value.substr(0, end), max_name_bytes);
        const auto known = std::ranges::find(report.held, kind, &HeldCount::kind);
        if (known != report.held.end()) {
            known->count = *count;
        } else if (report.held.size() < max_held_kinds) {
            report.held.push_back({.kind = std::string(kind), .count = *count});
        }
        return std::nullopt;
    }

  private:
    std::size_t bytes_ = 0;
};

// Reads the lines of a Report one by one.
class ReportReader {
  public:
    Verdict add(std::string_view key, std::string_view value) {
        if (key.starts_with("X_HOLDFAST_")) return add_holdfast_key(key, value);
        if (key == "HELLO") return set_flag(key, value, report_.hello);
        if (key == "READY") return set_flag(key, value, report_.ready);
        if (key == "STOPPING") return set_flag(key, value, report_.stopping);
        if (key == "BARRIER") return set_flag(key, value, report_.barrier);
        if (key == "FDSTORE") return set_flag(key, value, keeps_descriptors_);
        if (key == "EXTEND_TIMEOUT_USEC") return set_number(key, value, report_.extend_usec);
        if (key == "WATCHDOG") return set_watchdog(key, value, report_);
        if (key == "MAINPID") return set_main_pid(key, value, report_);
        if (key == "STATUS") report_.status = std::string(cut(value, max_text_bytes));
        if (key == "SDK") report_.sdk = std::string(cut(value, max_text_bytes));
        return std::nullopt;  // other keys of systemd, and of later versions, are ignored
    }

    Verdict check(std::size_t descriptors) const {
        if (report_.barrier && descriptors != 1) {
            return Malformed{"BARRIER=1 takes one descriptor, not " + std::to_string(descriptors)};
        }
        if (!report_.barrier && !keeps_descriptors_ && descriptors != 0) {
            return Malformed{"it announces no descriptor, but " + std::to_string(descriptors) + " came with it"};
        }
        return std::nullopt;
    }

    Report take() && {
        if (report_.in_flight && !report_.waiting) report_.waiting.emplace();
        return std::move(report_);
    }

  private:
    Verdict add_holdfast_key(std::string_view key, std::string_view value) {
        if (key == "X_HOLDFAST_STAGES") return set_stages(value, report_);
        if (key == "X_HOLDFAST_ACCEPTING") return set_accepting(key, value, report_);
        if (key == "X_HOLDFAST_RELEASING") return set_flag(key, value, report_.releasing);
        if (key == "X_HOLDFAST_DRAINED") return set_flag(key, value, report_.drained);
        if (key == "X_HOLDFAST_IN_FLIGHT") return set_number(key, value, report_.in_flight);
        if (key == "X_HOLDFAST_SERVED") return set_number(key, value, report_.served);
        if (key == "X_HOLDFAST_HANDED_BACK") return set_number(key, value, report_.handed_back);
        if (key == "X_HOLDFAST_LOST") return set_number(key, value, report_.lost);
        if (key == "X_HOLDFAST_HELD") return DrainReport::add_held(key, value, report_);
        if (key == "X_HOLDFAST_WAITING") return drain_report_.add_waiting(key, value, report_);
        return std::nullopt;
    }

    Report report_;
    DrainReport drain_report_;
    bool keeps_descriptors_ = false;
};

// Checks the rules for packets and passes each line to `accept`. Skips blank lines; a packet without other lines is
// empty.
template <class Accept>
Verdict for_each_line(std::string_view bytes, Accept accept) {
    if (bytes.size() > max_message_bytes) return Malformed{"it is longer than 65536 bytes"};
    if (bytes.find('\0') != std::string_view::npos) return Malformed{"it contains a NUL byte"};
    bool any = false;
    while (!bytes.empty()) {
        const std::size_t end = std::min(bytes.find('\n'), bytes.size());
        const std::string_view line = bytes.substr(0, end);
        bytes.remove_prefix(std::min(end + 1, bytes.size()));
        if (line.empty()) continue;
        any = true;
        const std::size_t equals = line.find('=');
        if (equals == std::string_view::npos) return Malformed{"a line has no '=': " + quote(line)};
        if (equals == 0) return Malformed{"a line has no key: " + quote(line)};
        if (Verdict verdict = accept(line.substr(0, equals), line.substr(equals + 1))) return verdict;
    }
    return any ? std::nullopt : Verdict(Malformed{"it is empty"});
}

}  // namespace

std::variant<Report, Malformed> decode_report(std::string_view bytes, std::size_t descriptors) {
    ReportReader reader;
    Verdict verdict =
        for_each_line(bytes, [&](std::string_view key, std::string_view value) { return reader.add(key, value); });
    if (!verdict) verdict = reader.check(descriptors);
    if (verdict) return *std::move(verdict);
    return std::move(reader).take();
}

std::variant<Command, Malformed> decode_command(std::string_view bytes) {
    Command command;
    bool has_stage = false;
    Verdict verdict = for_each_line(bytes, [&](std::string_view key, std::string_view value) -> Verdict {
        if (key == "STAGE") {
            const auto stage = stage_of(value);
            if (!stage) return wrong_value(key, "run, lame-duck, pause, drain or cancel", value);
            command.stage = *stage;
            has_stage = true;
        }
        if (key == "DEADLINE_USEC") return set_number(key, value, command.deadline_usec);
        if (key == "KILL_USEC") return set_number(key, value, command.kill_usec);
        if (key == "REASON") command.reason = reason_of(value);
        return std::nullopt;
    });
    if (verdict) return *std::move(verdict);
    if (!has_stage) return Malformed{"it has no STAGE"};
    return command;
}

}  // namespace holdfast::wire
