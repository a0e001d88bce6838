#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>

#include "base/launch_options.hpp"
#include "base/result.hpp"
#include "base/text.hpp"
#include "core/policy.hpp"

// The values that options take, beyond the durations, sizes and counts of base/parse.hpp. Every error says what is
// taken and, where one is near, the right spelling.
namespace holdfast::cli {

// The name of a service: a file's name in the runtime directory, and a word in `holdfast restart NAME`.
Result<std::string> parse_name(std::string_view text);
// "TERM", "SIGTERM" or "15"; neither of the two that no process can catch.
Result<int> parse_signal(std::string_view text);
// "2" or "25%".
Result<core::Share> parse_share(std::string_view text);
// "0027": octal, up to 0777.
Result<std::uint32_t> parse_umask(std::string_view text);
// "nofile=65536", "nofile=1024:65536", "core=unlimited"; sizes in bytes take K, M and G.
Result<ResourceLimit> parse_limit(std::string_view text);
// "K=V". What holdfast itself tells a worker cannot be set.
Result<std::string> parse_environment_entry(std::string_view text);
// "500ms..30s"
struct Backoff {
    Duration min{}, max{};
};
Result<Backoff> parse_backoff(std::string_view text);

// One of several words: its index.
Result<std::size_t> parse_choice(std::string_view text, std::span<const std::string_view> words);

// "did you mean --settle?" and the like, with a leading comma; empty where nothing is near.
std::string hint(std::string_view word, std::span<const std::string_view> candidates, std::string_view prefix = {});
std::string join(std::span<const std::string_view> words);

}  // namespace holdfast::cli
