#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.hpp"

namespace holdfast::cli {

inline constexpr std::size_t largest_config_file = 256 * 1024;

// One `key = value` of the file of --config.
struct ConfigEntry {
    std::string key;
    std::string value;
    int line = 0;
};

// The lines of a file: `key = value`, blanks around both taken off; blank lines and lines that begin with # are left
// out. The error names the line, "12: …".
Result<std::vector<ConfigEntry>> parse_config_entries(std::string_view text);

// A regular file, not larger than largest_config_file: a reload reads it again. The error is
// "cannot read the configuration FILE: …".
Result<std::string> read_config_file(const std::string& path);

}  // namespace holdfast::cli
