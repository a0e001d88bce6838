#include "runtime/history_line.hpp"

#include <algorithm>

#include "json/parse.hpp"
#include "json/writer.hpp"
#include "wire/wire.hpp"

namespace holdfast::runtime {

namespace {

constexpr std::size_t longest_text = 1024;

// A line is a flat object. Its longest value is a text of bytes that are not UTF-8, each of which becomes five bytes.
constexpr json::Limits line_limits{.bytes = 32 * 1024, .depth = 1};

void add(json::Writer& line, std::string_view key, std::string_view value) {
    if (!value.empty()) line.member(key, wire::printable(wire::cut(value, longest_text)));
}

bool is_printable(std::string_view text) { return wire::printable(text) == text; }

// Whether history_line() can have written this value: a printable text or a number.
bool is_plain(const json::value& value) {
    if (value.is_string()) return is_printable(value.get_string());
    return value.is_uint64() || (value.is_int64() && value.get_int64() >= 0);
}

}  // namespace

std::string history_line(std::string_view time, const core::Record& record, const ProgramFacts& facts) {
    json::Writer line;
    line.open_object().member("time", time).member("generation", record.generation.value);
    add(line, "event", record.event);
    add(line, "worker", record.worker);
    add(line, "text", record.text);
    add(line, "program", facts.program);
    add(line, "build_id", facts.build_id);
    add(line, "configuration", facts.configuration);
    return line.close_object().take() + "\n";
}

std::optional<Generation> generation_in(std::string_view line) {
    if (!is_printable(line)) return std::nullopt;
    const auto parsed = json::parse(line, line_limits);
    if (!parsed || !parsed->is_object()) return std::nullopt;
    const json::object& members = parsed->get_object();
    const bool is_history =
        members.contains("time") && members.contains("event") && std::ranges::all_of(members, [](const auto& member) {
            return is_printable(member.key()) && is_plain(member.value());
        });
    const json::value* generation = members.if_contains("generation");
    if (!is_history || generation == nullptr || !generation->is_number()) return std::nullopt;
    return Generation{generation->to_number<std::uint64_t>()};
}

}  // namespace holdfast::runtime
