#include "os/unit_file.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <filesystem>
#include <vector>

#include "os/read_file.hpp"

namespace holdfast::os {
namespace {

constexpr std::size_t largest_unit = 256 * 1024;
constexpr std::array<const char*, 4> folders{"/etc/systemd/system", "/run/systemd/system",
                                             "/usr/local/lib/systemd/system", "/usr/lib/systemd/system"};

std::string_view trimmed(std::string_view text) {
    const std::size_t from = text.find_first_not_of(" \t\r");
    if (from == text.npos) return {};
    return text.substr(from, text.find_last_not_of(" \t\r") - from + 1);
}

struct Unit {
    std::string_view name;
    Duration length;
};
constexpr std::array units = {
    Unit{"", std::chrono::seconds(1)},          Unit{"s", std::chrono::seconds(1)},
    Unit{"sec", std::chrono::seconds(1)},       Unit{"second", std::chrono::seconds(1)},
    Unit{"seconds", std::chrono::seconds(1)},   Unit{"ms", std::chrono::milliseconds(1)},
    Unit{"msec", std::chrono::milliseconds(1)}, Unit{"m", std::chrono::minutes(1)},
    Unit{"min", std::chrono::minutes(1)},       Unit{"minute", std::chrono::minutes(1)},
    Unit{"minutes", std::chrono::minutes(1)},   Unit{"h", std::chrono::hours(1)},
    Unit{"hr", std::chrono::hours(1)},          Unit{"hour", std::chrono::hours(1)},
    Unit{"hours", std::chrono::hours(1)},
};

void take(std::string_view key, std::string_view value, MachineFacts& facts) {
    if (key == "Type") facts.unit_type = value;
    if (key == "KillMode") facts.unit_kill_mode = value;
    const auto span = parse_time_span(value);
    // In a unit file 0 means "no timeout".
    const auto limit = span && span->count() == 0 ? Duration::max() : span;
    if (key == "TimeoutStopSec" || key == "TimeoutSec") facts.stop_timeout = limit;
    if (key == "TimeoutStartSec" || key == "TimeoutSec") facts.start_timeout = limit;
}

// The drop-ins of all directories, sorted by file name.
std::vector<std::filesystem::path> drop_ins(const std::string& unit) {
    std::vector<std::filesystem::path> found;
    for (const char* folder : folders) {
        std::error_code failure;
        std::filesystem::directory_iterator entries(std::string(folder) + "/" + unit + ".d", failure);
        for (; !failure && entries != std::filesystem::directory_iterator{}; entries.increment(failure)) {
            if (entries->path().extension() == ".conf") found.push_back(entries->path());
        }
    }
    std::ranges::sort(found, {}, [](const auto& path) { return path.filename(); });
    return found;
}

}  // namespace

std::string unit_of_cgroup(std::string_view cgroup) {
    while (!cgroup.empty()) {
        const std::size_t slash = cgroup.rfind('/');
        const std::string_view part = cgroup.substr(slash + 1);
        if (part.ends_with(".service")) return std::string(part);
        cgroup = slash == cgroup.npos ? std::string_view{} : cgroup.substr(0, slash);
    }
    return {};
}

std::optional<Duration> parse_time_span(std::string_view text) {
    text = trimmed(text);
    if (text == "infinity") return Duration::max();
    if (text.empty()) return std::nullopt;
    Duration sum{};
    while (!(text = trimmed(text)).empty()) {
        std::uint32_t number = 0;  // 32 bits, so that no product overflows
        const auto [end, failure] = std::from_chars(text.data(), text.data() + text.size(), number);
        if (failure != std::errc{}) return std::nullopt;
        text = trimmed(text.substr(static_cast<std::size_t>(end - text.data())));
        const std::size_t letters = std::min(text.find_first_not_of("abcdefghijklmnopqrstuvwxyz"), text.size());
        const auto unit = std::ranges::find(units, text.substr(0, letters), &Unit::name);
        if (unit == units.end()) return std::nullopt;
        sum += unit->length * static_cast<std::int64_t>(number);
        text.remove_prefix(letters);
    }
    return sum;
}

void read_unit_file(std::string_view text, MachineFacts& facts) {
    std::string section;
    while (!text.empty()) {
        const std::size_t end = std::min(text.find('\n'), text.size());
        const std::string_view line = trimmed(text.substr(0, end));
        text.remove_prefix(std::min(end + 1, text.size()));
        if (line.starts_with('[')) section = line;
        const std::size_t mark = line.find('=');
        if (section != "[Service]" || mark == line.npos || line.starts_with('#') || line.starts_with(';')) continue;
        take(trimmed(line.substr(0, mark)), trimmed(line.substr(mark + 1)), facts);
    }
}

void read_unit(MachineFacts& facts) {
    facts.unit = unit_of_cgroup(facts.cgroup);
    if (facts.unit.empty()) return;
    for (const char* folder : folders) {
        const auto text = read_file(std::string(folder) + "/" + facts.unit, largest_unit);
        if (!text) continue;
        read_unit_file(*text, facts);
        break;
    }
    for (const auto& path : drop_ins(facts.unit)) {
        if (const auto text = read_file(path.string(), largest_unit)) read_unit_file(*text, facts);
    }
}

}  // namespace holdfast::os
