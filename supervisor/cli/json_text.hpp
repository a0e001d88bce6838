#pragma once

#include <string>
#include <string_view>

namespace holdfast::cli {

// A text as JSON has it, with its quotes.
std::string json_string(std::string_view text);

}  // namespace holdfast::cli
