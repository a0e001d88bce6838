#pragma once

#include <filesystem>
#include <map>
#include <set>
#include <string>
#include <vector>

namespace holdfast::docs {

// Functions that read files of the source tree for the tests of the documentation. Paths are relative to the top of the
// tree. A file or item that cannot be found fails the test.

std::string read(const std::string& path);

// All files below the folder with one of these endings, ".cpp" for instance.
std::vector<std::string> files_below(const std::string& folder, const std::set<std::string>& endings);

// C or C++ code without its comments.
std::string without_comments(const std::string& code);

// All matches of the first group of the pattern.
std::set<std::string> all_of(const std::string& text, const std::string& pattern);

// The list items of a manual page below a heading (`.Sh` or `.Ss`): the arguments of each `.It` and the lines after it.
std::map<std::string, std::string> items_of(const std::string& page, const std::string& heading);

// The names after a macro (Fn, Ev, Vt, Cm ...) on any line of a manual page.
std::set<std::string> names_after_macro(const std::string& page, const std::string& macro);

// The blocks between `.Bd -literal` and `.Ed`, in order.
std::vector<std::string> literal_blocks(const std::string& page);

// The elements of `here` that `there` does not contain, for EXPECT_THAT(…, IsEmpty()).
std::set<std::string> missing(const std::set<std::string>& here, const std::set<std::string>& there);

}  // namespace holdfast::docs
