#pragma once

#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "cli/options.hpp"

namespace holdfast::cli {

// Parses the arguments of `run` or `check` and the --config file; the command line takes precedence over the file.
// `command` is the name of the command, with which error messages begin.
std::variant<core::Configuration, Text, UsageError> parse_configuration(std::string_view command,
                                                                        const std::vector<std::string>& arguments);

// Parses a configuration file without a command line, for `doctor`. The file need not set `command`.
Result<core::Configuration> parse_configuration_file(const std::string& path);

}  // namespace holdfast::cli
