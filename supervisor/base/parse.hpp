#pragma once

#include <cstdint>
#include <limits>
#include <optional>
#include <span>
#include <string_view>

#include "base/result.hpp"
#include "base/time.hpp"

namespace holdfast {

// What people write, taken word for word. The errors name the text, what is taken, and what was probably meant; the
// caller puts the option's name before them: `--grace-period: "5" is no duration: ...`.

// "500ms", "1s", "2m", "1h", also "1m30s" and "1.5s". A number without a unit is refused with the likely spelling, and
// "infinite" with the reason: nothing in holdfast waits for ever.
Result<Duration> parse_duration(std::string_view text);

// Bytes: "4096", "64K", "10M", "2G", powers of 1024.
Result<std::uint64_t> parse_size(std::string_view text);

// A whole number from `least` to `most`.
Result<std::uint64_t> parse_count(std::string_view text, std::uint64_t least = 0,
                                  std::uint64_t most = std::numeric_limits<std::uint64_t>::max());

// The candidate that `word` is probably a misspelling of: the one that the fewest keystrokes change it into, if they
// are at most a third of its letters (one at least). Swapped neighbours count as one keystroke, capitals as none.
std::optional<std::string_view> nearest(std::string_view word, std::span<const std::string_view> candidates);

}  // namespace holdfast
