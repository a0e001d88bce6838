#pragma once

#include <algorithm>
#include <string>
#include <string_view>

namespace holdfast {

// ASCII only, independent of the locale.
constexpr bool is_digit(char c) { return c >= '0' && c <= '9'; }

inline std::string in_quotes(std::string_view text) { return '"' + std::string(text) + '"'; }

// True if `words`, a range of strings, contains `word`.
template <class Range>
constexpr bool is_one_of(std::string_view word, const Range& words) {
    return std::ranges::find(words, word) != std::ranges::end(words);
}

}  // namespace holdfast
