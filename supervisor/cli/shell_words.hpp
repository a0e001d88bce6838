#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/result.hpp"

namespace holdfast::cli {

// Splits a line into words as a shell does: at blanks outside of 'single' and "double" quotes; a backslash makes the
// next character literal (in double quotes only " and \). Nothing is expanded: $, * and ~ are ordinary characters.
// A word that begins with an unquoted # is an error, because a shell would take it for a comment.
Result<std::vector<std::string>> split_words(std::string_view line);

}  // namespace holdfast::cli
