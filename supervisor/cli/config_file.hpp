#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.hpp"

namespace holdfast::cli {

inline constexpr std::size_t largest_config_file = 256 * 1024;

// One `key = value` line of the --config file.
struct ConfigEntry {
    std::string key;
    std::string value;
    int line = 0;
};

// Parses lines of the form `key = value` and trims blanks around key and value. Skips blank lines and lines that begin
// with #. An error begins with the number of the line: "12: …".
Result<std::vector<ConfigEntry>> parse_config_entries(std::string_view text);

// Reads a regular file of at most largest_config_file bytes. Other types of files are an error, because a reload has to
// read the file again. The error is "cannot read the configuration FILE: …".
Result<std::string> read_config_file(const std::string& path);

}  // namespace holdfast::cli
