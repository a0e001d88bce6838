#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/result.hpp"

namespace holdfast::cli {

// Takes a line apart as a shell does: blanks separate, 'single' and "double" quotes keep together, a backslash takes
// the next character as it is (in double quotes only before " and \). Nothing is expanded: $, * and ~ are letters.
// A word that begins with an unquoted # is refused, because a shell would take it for a comment.
Result<std::vector<std::string>> split_words(std::string_view line);

}  // namespace holdfast::cli
