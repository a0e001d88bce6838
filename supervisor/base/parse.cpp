#include "base/parse.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <string>
#include <vector>

#include "base/text.hpp"

namespace holdfast {
namespace {

constexpr std::string_view duration_form = "a duration is a number with a unit, like 500ms, 30s, 2m or 1h";
constexpr std::string_view size_form = "a size is a number of bytes, or one with a unit, like 64K, 10M or 2G";
// A hundred years: a longer duration is a typing error, and sums of several such durations do not overflow.
constexpr Duration longest = std::chrono::hours{24 * 365 * 100};

struct TimeUnit {
    std::string_view word;
    Duration length;
};
constexpr std::array time_units{TimeUnit{"ms", std::chrono::milliseconds{1}}, TimeUnit{"s", std::chrono::seconds{1}},
                                TimeUnit{"m", std::chrono::minutes{1}}, TimeUnit{"h", std::chrono::hours{1}}};

char lower(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; }

Error no_duration(std::string_view text, const std::string& cause) {
    return error(in_quotes(text) + " is not a duration: " + cause + "; " + std::string(duration_form));
}

bool means_for_ever(std::string_view text) {
    constexpr std::array<std::string_view, 6> words{"infinite", "infinity", "inf", "forever", "never", "unlimited"};
    std::string small(text);
    std::transform(small.begin(), small.end(), small.begin(), lower);
    return std::find(words.begin(), words.end(), small) != words.end();
}

// Suggests the unit for a spelling that is common in other programs.
std::string unit_hint(std::string_view word) {
    constexpr std::array<std::pair<std::string_view, std::string_view>, 12> known{{{"sec", "s"},
                                                                                   {"secs", "s"},
                                                                                   {"second", "s"},
                                                                                   {"seconds", "s"},
                                                                                   {"min", "m"},
                                                                                   {"mins", "m"},
                                                                                   {"minute", "m"},
                                                                                   {"minutes", "m"},
                                                                                   {"msec", "ms"},
                                                                                   {"hr", "h"},
                                                                                   {"hour", "h"},
                                                                                   {"hours", "h"}}};
    std::string small(word);
    std::transform(small.begin(), small.end(), small.begin(), lower);
    for (const auto& [spelling, unit] : known) {
        if (small == spelling) return ", did you mean " + in_quotes(unit) + "?";
    }
    for (const TimeUnit& unit : time_units) {
        if (small == unit.word) return ", did you mean " + in_quotes(unit.word) + "?";
    }
    return "";
}

struct Number {
    long double value = 0;
    std::size_t length = 0;  // number of characters; 0: no number
};

Number leading_number(std::string_view text) {
    std::size_t length = 0;
    int points = 0;
    while (length < text.size() && (is_digit(text[length]) || (length > 0 && text[length] == '.' && points == 0))) {
        points += text[length] == '.' ? 1 : 0;
        ++length;
    }
    if (length == 0 || text[length - 1] == '.' || length > 18) return {};
    return {std::stold(std::string(text.substr(0, length))), length};
}

// Returns the number of bytes of a unit; 0 if it is unknown.
std::uint64_t size_of_unit(std::string_view unit) {
    if (unit.empty()) return 1;
    std::string small(unit);
    std::transform(small.begin(), small.end(), small.begin(), lower);
    if (small == "k" || small == "kb" || small == "kib") return std::uint64_t{1} << 10;
    if (small == "m" || small == "mb" || small == "mib") return std::uint64_t{1} << 20;
    if (small == "g" || small == "gb" || small == "gib") return std::uint64_t{1} << 30;
    return 0;
}

// Edit distance (optimal string alignment): an insertion, a deletion, a replacement and a swap of two adjacent letters
// count one each.
std::size_t edit_distance(std::string_view a, std::string_view b) {
    std::vector<std::vector<std::size_t>> cost(a.size() + 1, std::vector<std::size_t>(b.size() + 1));
    for (std::size_t i = 0; i <= a.size(); ++i) cost[i][0] = i;
    for (std::size_t j = 0; j <= b.size(); ++j) cost[0][j] = j;
    for (std::size_t i = 1; i <= a.size(); ++i) {
        for (std::size_t j = 1; j <= b.size(); ++j) {
            const bool same = lower(a[i - 1]) == lower(b[j - 1]);
            cost[i][j] = std::min({cost[i - 1][j] + 1, cost[i][j - 1] + 1, cost[i - 1][j - 1] + (same ? 0 : 1)});
            const bool swapped =
                i > 1 && j > 1 && lower(a[i - 1]) == lower(b[j - 2]) && lower(a[i - 2]) == lower(b[j - 1]);
            if (swapped) cost[i][j] = std::min(cost[i][j], cost[i - 2][j - 2] + 1);
        }
    }
    return cost[a.size()][b.size()];
}

}  // namespace

Result<Duration> parse_duration(std::string_view text) {
    if (text.empty()) return no_duration(text, "it is empty");
    if (means_for_ever(text)) {
        return error(in_quotes(text) + " is refused: every wait in holdfast is limited, so that a stop always " +
                     "ends; give a maximum, like 24h");
    }
    Duration sum{0};
    std::string_view rest = text;
    while (!rest.empty()) {
        const Number number = leading_number(rest);
        if (number.length == 0) return no_duration(text, "a number was expected at " + in_quotes(rest.substr(0, 20)));
        rest.remove_prefix(number.length);
        std::size_t letters = 0;
        while (letters < rest.size() && !is_digit(rest[letters])) ++letters;
        const std::string_view word = rest.substr(0, letters);
        rest.remove_prefix(letters);
        if (word.empty())
            return no_duration(text, "it has no unit, did you mean " + in_quotes(std::string(text) + "s") + "?");
        const auto unit = std::find_if(time_units.begin(), time_units.end(),
                                       [word](const TimeUnit& candidate) { return candidate.word == word; });
        if (unit == time_units.end()) {
            return no_duration(text, in_quotes(word.substr(0, 20)) + " is not a unit" + unit_hint(word));
        }
        const long double usec = number.value * static_cast<long double>(unit->length.count());
        if (usec > static_cast<long double>((longest - sum).count())) return no_duration(text, "it is too long");
        sum += Duration{static_cast<Duration::rep>(usec + 0.5L)};
    }
    return sum;
}

Result<std::uint64_t> parse_size(std::string_view text) {
    const auto refuse = [text](const std::string& cause) {
        return error(in_quotes(text) + " is not a size: " + cause + "; " + std::string(size_form));
    };
    std::uint64_t number = 0;
    const auto [end, problem] = std::from_chars(text.data(), text.data() + text.size(), number);
    if (problem == std::errc::result_out_of_range) return refuse("it is too large");
    if (problem != std::errc{}) return refuse("it does not begin with a number");
    const std::string_view word = text.substr(static_cast<std::size_t>(end - text.data()));
    const std::uint64_t unit = size_of_unit(word);
    if (unit == 0) return refuse(in_quotes(word.substr(0, 20)) + " is not a unit");
    if (number > std::numeric_limits<std::uint64_t>::max() / unit) return refuse("it is too large");
    return number * unit;
}

Result<std::uint64_t> parse_count(std::string_view text, std::uint64_t least, std::uint64_t most) {
    std::uint64_t number = 0;
    const auto [end, problem] = std::from_chars(text.data(), text.data() + text.size(), number);
    const bool is_number = problem == std::errc{} && end == text.data() + text.size();
    if (is_number && number >= least && number <= most) return number;
    std::string range = "a whole number";
    if (most != std::numeric_limits<std::uint64_t>::max()) {
        range += " from " + std::to_string(least) + " to " + std::to_string(most);
    } else if (least > 0) {
        range += " of at least " + std::to_string(least);
    }
    return error(in_quotes(text) + " is not " + range);
}

std::optional<std::string_view> nearest(std::string_view word, std::span<const std::string_view> candidates) {
    // Limits the size of the table in edit_distance(); no option is that long.
    if (word.empty() || word.size() > 64) return std::nullopt;
    std::optional<std::string_view> best;
    std::size_t fewest = std::max<std::size_t>(1, word.size() / 3) + 1;
    for (const std::string_view candidate : candidates) {
        const std::size_t distance = edit_distance(word, candidate);
        if (distance >= fewest || distance >= candidate.size()) continue;
        fewest = distance;
        best = candidate;
    }
    return best;
}

}  // namespace holdfast
