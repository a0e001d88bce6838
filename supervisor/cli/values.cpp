#include "cli/values.hpp"

#include <algorithm>
#include <array>
#include <vector>

#include "base/exit_status.hpp"
#include "base/parse.hpp"
#include "base/sdk_variables.hpp"

namespace holdfast::cli {
namespace {

constexpr std::size_t longest_name = 64;
constexpr int last_signal = 31;

bool is_name_letter(char c) {
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_' || c == '-' ||
           c == '.';
}

// These signals cannot be caught, so they cannot ask a worker to leave.
bool is_uncatchable(std::string_view name) { return name == "KILL" || name == "STOP"; }

// The names of the signals without "SIG", indexed by number; empty if a number has no name.
std::vector<std::string> signal_names() {
    std::vector<std::string> names(last_signal + 1);
    for (int number = 1; number <= last_signal; ++number) {
        const std::string name = signal_name(number);
        if (name.starts_with("SIG")) names[static_cast<std::size_t>(number)] = name.substr(3);
    }
    return names;
}

std::string upper(std::string_view text) {
    std::string capitals(text);
    std::ranges::transform(capitals, capitals.begin(),
                           [](char c) { return c >= 'a' && c <= 'z' ? static_cast<char>(c - 'a' + 'A') : c; });
    return capitals;
}

enum class Unit { bytes, count };

struct Resource {
    std::string_view name;
    int number;  // for setrlimit(2) on Linux; a test compares it with <sys/resource.h>
    Unit unit;
};
constexpr std::array resources = {
    Resource{"cpu", 0, Unit::count},       Resource{"fsize", 1, Unit::bytes},  Resource{"data", 2, Unit::bytes},
    Resource{"stack", 3, Unit::bytes},     Resource{"core", 4, Unit::bytes},   Resource{"rss", 5, Unit::bytes},
    Resource{"nproc", 6, Unit::count},     Resource{"nofile", 7, Unit::count}, Resource{"memlock", 8, Unit::bytes},
    Resource{"as", 9, Unit::bytes},        Resource{"locks", 10, Unit::count}, Resource{"sigpending", 11, Unit::count},
    Resource{"msgqueue", 12, Unit::bytes}, Resource{"nice", 13, Unit::count},  Resource{"rtprio", 14, Unit::count},
    Resource{"rttime", 15, Unit::count},
};

Result<std::uint64_t> parse_limit_value(std::string_view text, Unit unit) {
    if (text == "unlimited" || text == "infinity") return ~std::uint64_t{0};
    return unit == Unit::bytes ? parse_size(text) : parse_count(text);
}

}  // namespace

std::string join(std::span<const std::string_view> words) {
    std::string list;
    for (std::size_t at = 0; at < words.size(); ++at) {
        list += at == 0 ? "" : at + 1 == words.size() ? " or " : ", ";
        list += words[at];
    }
    return list;
}

std::string hint(std::string_view word, std::span<const std::string_view> candidates, std::string_view prefix) {
    const auto meant = nearest(word, candidates);
    return meant ? ", did you mean " + std::string(prefix) + std::string(*meant) + "?" : std::string{};
}

Result<std::string> parse_name(std::string_view text) {
    const bool is_dots = text == "." || text == "..";
    if (!text.empty() && !is_dots && text.size() <= longest_name && std::ranges::all_of(text, is_name_letter)) {
        return std::string(text);
    }
    return error(in_quotes(text) + " is not a valid name: a name is 1 to 64 letters, digits, '_', '-' and '.'");
}

Result<int> parse_signal(std::string_view text) {
    const std::vector<std::string> names = signal_names();
    const std::string wanted = upper(text);
    const std::string_view bare = std::string_view(wanted).substr(wanted.starts_with("SIG") ? 3 : 0);
    for (int number = 1; number <= last_signal; ++number) {
        const std::string& name = names[static_cast<std::size_t>(number)];
        if (name.empty() || (bare != name && bare != std::to_string(number))) continue;
        if (!is_uncatchable(name)) return number;
        return error(in_quotes(text) +
                     " is refused: no process can catch it, so a worker could not react to it; "
                     "a worker that outlives its last deadline is killed anyway");
    }
    std::vector<std::string_view> candidates;
    for (const std::string& name : names) {
        if (!name.empty() && !is_uncatchable(name)) candidates.push_back(name);
    }
    const std::string meant = hint(bare, candidates);
    return error(in_quotes(text) + " is not a valid signal" + (meant.empty() ? ": write" : meant + " Write") +
                 " TERM, SIGTERM or 15");
}

Result<core::Share> parse_share(std::string_view text) {
    const bool percent = text.ends_with('%');
    const std::uint64_t most = percent ? 100 : core::max_workers;
    const auto amount = parse_count(text.substr(0, text.size() - (percent ? 1 : 0)), 0, most);
    if (!amount) {
        return error(in_quotes(text) +
                     " is not a valid number of workers: write a count like 2, or a share like 25%, up to 100%");
    }
    return core::Share{static_cast<int>(*amount), percent};
}

Result<std::uint32_t> parse_umask(std::string_view text) {
    const bool is_octal =
        !text.empty() && text.size() <= 4 && std::ranges::all_of(text, [](char c) { return c >= '0' && c <= '7'; });
    std::uint32_t mask = 0;
    for (const char c : text) mask = mask * 8 + static_cast<std::uint32_t>(c - '0');
    if (is_octal && mask <= 0777) return mask;
    return error(in_quotes(text) + " is not a valid mask: write it in octal, from 0 to 0777, like 0027");
}

Result<ResourceLimit> parse_limit(std::string_view text) {
    std::vector<std::string_view> names;
    for (const Resource& resource : resources) names.push_back(resource.name);
    const std::size_t mark = text.find('=');
    const std::string_view name = text.substr(0, mark);
    const auto resource = std::ranges::find(resources, name, &Resource::name);
    if (resource == resources.end()) {
        const std::string meant = hint(name, names);
        return error(in_quotes(name) + " is not a valid resource" +
                     (meant.empty() ? ": expected " : meant + " Expected ") + join(names));
    }
    if (mark == text.npos) return error("the value is missing: write " + std::string(name) + "=VALUE or SOFT:HARD");
    const std::string_view value = text.substr(mark + 1);
    const std::size_t colon = value.find(':');
    const auto soft = parse_limit_value(value.substr(0, colon), resource->unit);
    const auto hard = colon == value.npos ? soft : parse_limit_value(value.substr(colon + 1), resource->unit);
    if (!soft) return error(std::string(name) + ": " + soft.error().text + ", or unlimited");
    if (!hard) return error(std::string(name) + ": " + hard.error().text + ", or unlimited");
    if (*soft > *hard) return error(in_quotes(text) + ": the soft limit is above the hard one; write SOFT:HARD");
    return ResourceLimit{std::string(name), resource->number, *soft, *hard};
}

Result<std::string> parse_environment_entry(std::string_view text) {
    const std::size_t mark = text.find('=');
    if (mark == text.npos || mark == 0) return error(in_quotes(text) + " does not set a variable: write NAME=VALUE");
    const std::string_view key = text.substr(0, mark);
    constexpr std::array<std::string_view, 4> ours{"LISTEN_FDS", "LISTEN_PID", "LISTEN_FDNAMES", "NOTIFY_SOCKET"};
    const bool is_reserved = key.starts_with("HOLDFAST_") && !is_sdk_variable(key);
    if (is_reserved || std::ranges::find(ours, key) != ours.end()) {
        return error(in_quotes(key) + " is refused: holdfast itself sets it for each worker");
    }
    return std::string(text);
}

Result<Backoff> parse_backoff(std::string_view text) {
    const std::size_t dots = text.find("..");
    if (dots == text.npos) return error(in_quotes(text) + " is not a range: write MIN..MAX, like 500ms..30s");
    const auto min = parse_duration(text.substr(0, dots));
    const auto max = parse_duration(text.substr(dots + 2));
    if (!min) return min.error();
    if (!max) return max.error();
    if (min->count() == 0)
        return error(in_quotes(text) + ": MIN is 0: a worker that crashes would be restarted in a busy loop");
    if (*min > *max) return error(in_quotes(text) + ": MIN is longer than MAX; write MIN..MAX");
    return Backoff{*min, *max};
}

Result<std::size_t> parse_choice(std::string_view text, std::span<const std::string_view> words) {
    const auto found = std::ranges::find(words, text);
    if (found != words.end()) return static_cast<std::size_t>(found - words.begin());
    const std::string meant = hint(text, words);
    return error(in_quotes(text) + " is not a valid value" + (meant.empty() ? ": expected " : meant + " Expected ") +
                 join(words));
}

}  // namespace holdfast::cli
