#include <cinttypes>
#include <cstdio>
#include <holdfast/report.hpp>

#include "wire/wire.hpp"

namespace holdfast {

namespace {

std::string seconds(std::chrono::microseconds duration) {
    char text[32];
    std::snprintf(text, sizeof text, "%.1f s", static_cast<double>(duration.count()) / 1e6);
    return text;
}

void add_count(std::string& line, std::uint64_t count, const char* one, const char* many) {
    if (count == 0) return;
    line += line.empty() ? "" : ", ";
    line += std::to_string(count) + ' ' + (count == 1 ? one : many);
}

}  // namespace

std::string DrainReport::text() const {
    std::string held;
    add_count(held, requests, "request", "requests");
    add_count(held, sessions, "session", "sessions");
    add_count(held, tasks, "task", "tasks");
    add_count(held, work, "item of work", "items of work");
    add_count(held, resources, "resource", "resources");
    std::string text = "stage " + std::string(wire::name_of(stage));
    if (remaining) text += ", " + seconds(*remaining) + " left";
    text += "; held: " + (held.empty() ? "nothing" : held) + "; served " + std::to_string(served);
    if (handed_back > 0) text += "; handed back " + std::to_string(handed_back);
    if (lost > 0) text += "; lost " + std::to_string(lost);
    text += '\n';
    for (const Waiting& entry : waiting) {
        text += "  " + entry.kind + ' ' + wire::printable(entry.name) + " (" +
                seconds(std::chrono::microseconds(entry.age_usec)) + ")\n";
    }
    for (const std::string& failure : failed) text += "  failed: " + wire::printable(failure) + '\n';
    return text;
}

}  // namespace holdfast
