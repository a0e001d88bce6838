#pragma once

#include <cstdint>
#include <limits>
#include <optional>
#include <span>
#include <string_view>

#include "base/result.hpp"
#include "base/time.hpp"

namespace holdfast {

// Parsers for values in options and files. An error names the text, the accepted form and a suggestion; the caller
// prepends the name of the option: `--grace-period: "5" is not a duration: ...`.

// Parses "500ms", "1s", "2m", "1h", "1m30s", "1.5s". A number without a unit is rejected with a suggestion; "infinite"
// is rejected with the reason: no wait in holdfast is unlimited.
Result<Duration> parse_duration(std::string_view text);

// Parses a number of bytes: "4096", "64K", "10M", "2G". The units are powers of 1024.
Result<std::uint64_t> parse_size(std::string_view text);

// Parses a whole number from `least` to `most`.
Result<std::uint64_t> parse_count(std::string_view text, std::uint64_t least = 0,
                                  std::uint64_t most = std::numeric_limits<std::uint64_t>::max());

// Returns the candidate with the smallest edit distance to `word`, if that is at most a third of the length of `word`
// (at least 1); otherwise nullopt. Swapping two adjacent letters counts as one edit. Case is ignored.
std::optional<std::string_view> nearest(std::string_view word, std::span<const std::string_view> candidates);

}  // namespace holdfast
