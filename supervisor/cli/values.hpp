#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>

#include "base/launch_options.hpp"
#include "base/result.hpp"
#include "base/text.hpp"
#include "core/policy.hpp"

// Parsers for the values of options, besides those for durations, sizes and counts in base/parse.hpp. An error says
// what is accepted and suggests the nearest correct spelling, if there is one.
namespace holdfast::cli {

// The name of a service: used as a file name in the runtime directory and as an argument of commands.
Result<std::string> parse_name(std::string_view text);
// "TERM", "SIGTERM" or "15"; KILL and STOP are refused.
Result<int> parse_signal(std::string_view text);
// "2" or "25%".
Result<core::Share> parse_share(std::string_view text);
// "0027": octal, up to 0777.
Result<std::uint32_t> parse_umask(std::string_view text);
// "nofile=65536", "nofile=1024:65536", "core=unlimited"; sizes in bytes take K, M and G.
Result<ResourceLimit> parse_limit(std::string_view text);
// "K=V". Variables that holdfast itself sets for each worker are refused.
Result<std::string> parse_environment_entry(std::string_view text);
// "500ms..30s"
struct Backoff {
    Duration min{}, max{};
};
Result<Backoff> parse_backoff(std::string_view text);

// The index of `text` in `words`.
Result<std::size_t> parse_choice(std::string_view text, std::span<const std::string_view> words);

// ", did you mean --settle?"; empty if no candidate is similar.
std::string hint(std::string_view word, std::span<const std::string_view> candidates, std::string_view prefix = {});
// "a, b or c"
std::string join(std::span<const std::string_view> words);

}  // namespace holdfast::cli
