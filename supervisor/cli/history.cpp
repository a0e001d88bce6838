#include "cli/history.hpp"

#include <algorithm>
#include <array>
#include <cerrno>
#include <chrono>
#include <cstdio>
#include <fstream>
#include <map>
#include <optional>
#include <system_error>

#include "api/client/client.hpp"
#include "cli/render.hpp"

namespace holdfast::cli {
namespace {

constexpr std::size_t largest_history = 64 * 1024 * 1024;
constexpr std::string_view history_file = "history.jsonl";
constexpr std::string_view earlier_suffix = ".1";  // appended to the file's name when it is full
constexpr std::size_t short_build_id = 8;

// The records of one generation, combined.
struct GenerationSummary {
    std::string when, asked_by, program, build_id, outcome;
    std::optional<double> started, ready;
    int killed = 0;
};

// Converts "2026-11-22T19:58:03.125Z" to seconds since 1970.
std::optional<double> seconds_of(const std::string& time) {
    int year = 0;
    unsigned month = 0, day = 0, hour = 0, minute = 0;
    double second = 0;
    const int read = std::sscanf(time.c_str(), "%d-%u-%uT%u:%u:%lf", &year, &month, &day, &hour, &minute, &second);
    if (read != 6) return std::nullopt;
    const std::chrono::sys_days date{std::chrono::year{year} / static_cast<int>(month) / static_cast<int>(day)};
    return static_cast<double>(date.time_since_epoch().count()) * 86400.0 + hour * 3600.0 + minute * 60.0 + second;
}

// "2026-11-22 19:58:03"
std::string readable(std::string time) {
    std::ranges::replace(time, 'T', ' ');
    return time.substr(0, std::min(time.find_first_of(".Z+"), time.size()));
}

bool is_outcome(std::string_view event) {
    constexpr std::array<std::string_view, 5> outcomes{"done", "failed", "mixed", "undone", "interrupted"};
    return std::ranges::find(outcomes, event) != outcomes.end();
}

void add(const api::HistoryRecord& line, GenerationSummary& summary) {
    if (line.event == "started") {
        summary.when = readable(line.time);
        summary.started = seconds_of(line.time);
        summary.asked_by = line.text;
    } else if (line.event == "ready" && line.worker.empty()) {
        summary.ready = seconds_of(line.time);
    } else if (line.event == "worker_killed") {
        ++summary.killed;
    } else if (is_outcome(line.event)) {
        // The first generation has no `ready` record of its own: `done` is when it became ready.
        if (line.event == "done" && !summary.ready) summary.ready = seconds_of(line.time);
        summary.outcome = line.event;
        if (!line.text.empty() && line.event != "done") summary.outcome += ": " + line.text;
    }
    if (!line.program.empty()) summary.program = line.program;
    if (!line.build_id.empty()) summary.build_id = line.build_id;
}

std::string program_of(const GenerationSummary& summary) {
    if (summary.program.empty()) return "-";
    const std::string name = summary.program.substr(summary.program.rfind('/') + 1);
    return summary.build_id.empty() ? name : name + " " + summary.build_id.substr(0, short_build_id);
}

std::string ready_after(const GenerationSummary& summary) {
    if (!summary.started || !summary.ready) return "-";
    return render_seconds(*summary.ready - *summary.started);
}

std::string or_dash(const std::string& text) { return text.empty() ? "-" : text; }

Result<void> read_file(const std::string& path, std::vector<std::string>& lines) {
    std::ifstream file(path, std::ios::binary);
    if (const int problem = file ? 0 : errno) {
        return error("cannot read the history " + path + ": " + std::generic_category().message(problem), problem);
    }
    std::size_t size = 0;
    for (std::string line; std::getline(file, line);) {
        size += line.size();
        if (size > largest_history)
            return error("cannot read the history " + path + ": it is larger than " +
                         std::to_string(largest_history / 1024 / 1024) + " MiB");
        if (api::decode_history_record(line)) lines.push_back(std::move(line));
    }
    return {};
}

// Replaces control characters: a record may contain text from a worker.
std::string safe(std::string text) {
    std::ranges::replace_if(
        text, [](char c) { return static_cast<unsigned char>(c) < ' ' || c == '\x7f'; }, '?');
    return text;
}

}  // namespace

Result<std::vector<std::string>> read_history(const std::string& state_dir) {
    const std::string path = state_dir + "/" + std::string(history_file);
    std::vector<std::string> lines;
    const auto earlier = read_file(path + std::string(earlier_suffix), lines);
    if (!earlier && earlier.error().code != ENOENT) return earlier.error();
    // Directly after the rename of a full file, history.jsonl does not exist yet.
    const auto latest = read_file(path, lines);
    if (!latest && (latest.error().code != ENOENT || !earlier)) return latest.error();
    return lines;
}

std::string render_history(const std::vector<std::string>& lines) {
    std::map<std::uint64_t, GenerationSummary> generations;
    for (const std::string& text : lines) {
        if (const auto line = api::decode_history_record(text); line && line->generation != 0) {
            add(*line, generations[line->generation]);
        }
    }
    std::vector<std::vector<std::string>> rows{
        {"GENERATION", "WHEN (UTC)", "PROGRAM", "READY AFTER", "KILLED", "OUTCOME", "ASKED BY"}};
    for (const auto& [generation, summary] : generations) {
        rows.push_back({std::to_string(generation), or_dash(summary.when), safe(program_of(summary)),
                        ready_after(summary), std::to_string(summary.killed), safe(or_dash(summary.outcome)),
                        safe(or_dash(summary.asked_by))});
    }
    return render_table(rows);
}

}  // namespace holdfast::cli
