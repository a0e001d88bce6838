#pragma once

#include <string>
#include <string_view>

namespace holdfast::cli {

// The output of `holdfast help`: the commands.
std::string help_text();
// The output of `holdfast help COMMAND`: one command with its options.
std::string help_of(std::string_view command);
// "holdfast 0.1.0"
std::string version_text();

}  // namespace holdfast::cli
