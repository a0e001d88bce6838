#pragma once

#include <cstdint>
#include <string>

#include "base/result.hpp"

namespace holdfast::api {

// A line of the history of generations. Only some events have `program`, `build_id` and `configuration`.
struct HistoryRecord {
    std::string time;  // "2026-11-22T19:58:03.125Z"
    std::uint64_t generation = 0;
    std::string event;   // "started", "ready", ...; core/action.hpp lists them
    std::string worker;  // "1.0"; empty if the event concerns the whole generation
    std::string text;
    std::string program, build_id, configuration;
};

Result<HistoryRecord> decode_history_record(const std::string& json);

}  // namespace holdfast::api
