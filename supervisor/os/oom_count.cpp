#include "os/oom_count.hpp"

#include <algorithm>
#include <charconv>
#include <string_view>

#include "os/read_file.hpp"

namespace holdfast::os {
namespace {

constexpr std::size_t file_limit = 64U << 10;
constexpr std::string_view key = "oom_kill ";

std::optional<std::uint64_t> count_in(std::string_view text) {
    while (!text.empty()) {
        const std::string_view line = text.substr(0, text.find('\n'));
        text.remove_prefix(std::min(line.size() + 1, text.size()));
        if (!line.starts_with(key)) continue;
        std::uint64_t count = 0;
        const auto [end, problem] = std::from_chars(line.data() + key.size(), line.data() + line.size(), count);
        if (problem == std::errc{} && end == line.data() + line.size()) return count;
    }
    return std::nullopt;
}

std::optional<std::uint64_t> count_of(const std::string& path) {
    const auto text = read_file(path, file_limit);
    return text ? count_in(*text) : std::nullopt;
}

// Our cgroup in version 2, such as "/system.slice/web.service"; nullopt if there is none.
std::optional<std::string> own_cgroup(const std::string& path) {
    const auto text = read_file(path, file_limit);
    if (!text) return std::nullopt;
    std::string_view rest = *text;
    while (!rest.empty()) {
        const std::string_view line = rest.substr(0, rest.find('\n'));
        rest.remove_prefix(std::min(line.size() + 1, rest.size()));
        if (line.starts_with("0::/")) return std::string(line.substr(3));
    }
    return std::nullopt;
}

}  // namespace

OomCount::OomCount(const OomSources& sources) {
    auto cgroup = own_cgroup(sources.own_cgroup);
    // The root cgroup has no memory.events.
    while (cgroup && cgroup->size() > 1) {
        std::string events = sources.cgroups + *cgroup + "/memory.events";
        if (count_of(events)) {
            path_ = std::move(events);
            return;
        }
        const auto slash = cgroup->rfind('/');
        cgroup->resize(slash);
    }
    if (count_of(sources.vmstat)) path_ = sources.vmstat;
}

std::optional<std::uint64_t> OomCount::read() const { return path_.empty() ? std::nullopt : count_of(path_); }

}  // namespace holdfast::os
