#pragma once

#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "cli/options.hpp"

namespace holdfast::cli {

// What `run` and `check` were told: by the file of --config, over which the command line wins. `command` is the word
// that the errors begin with.
std::variant<core::Configuration, Text, UsageError> parse_configuration(std::string_view command,
                                                                        const std::vector<std::string>& arguments);

// The configuration of a file alone, as far as it says one: no command is needed. For `doctor`.
Result<core::Configuration> parse_configuration_file(const std::string& path);

}  // namespace holdfast::cli
