#include "api/client/history_record.hpp"

#include "json/parse.hpp"

namespace holdfast::api {

namespace {

constexpr json::Limits line_limits{.bytes = 64 * 1024, .depth = 4};

void read(const json::object& line, const char* key, std::string& to) {
    const json::value* value = line.if_contains(key);
    if (value != nullptr && value->is_string()) to = std::string(value->get_string());
}

}  // namespace

Result<HistoryRecord> decode_history_record(const std::string& text) {
    const auto value = json::parse(text, line_limits);
    if (!value || !value->is_object()) return error("cannot parse a line of the history: " + text.substr(0, 80));
    const json::object& object = value->get_object();
    HistoryRecord line;
    if (const json::value* number = object.if_contains("generation"); number != nullptr && number->is_number()) {
        json::error_code failure;
        const auto generation = number->to_number<std::uint64_t>(failure);
        if (!failure) line.generation = generation;
    }
    read(object, "time", line.time);
    read(object, "event", line.event);
    read(object, "worker", line.worker);
    read(object, "text", line.text);
    read(object, "program", line.program);
    read(object, "build_id", line.build_id);
    read(object, "configuration", line.configuration);
    return line;
}

}  // namespace holdfast::api
