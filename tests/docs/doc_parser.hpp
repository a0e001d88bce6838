#pragma once

#include <filesystem>
#include <map>
#include <set>
#include <string>
#include <vector>

namespace holdfast::docs {

// Files of the source tree, as the tests of the documentation read them: paths begin at its top. What cannot be found
// fails the test that asks for it.

std::string read(const std::string& path);

// All files below with one of these endings, ".cpp" for instance.
std::vector<std::string> files_below(const std::string& folder, const std::set<std::string>& endings);

// C or C++ without its comments.
std::string without_comments(const std::string& code);

// What the first group of the pattern finds.
std::set<std::string> all_of(const std::string& text, const std::string& pattern);

// A manual page: the arguments of each `.It` below a heading (`.Sh` or `.Ss`), with the lines that explain it.
std::map<std::string, std::string> items_of(const std::string& page, const std::string& heading);

// The names that a manual page has behind a macro, in any line: Fn, Ev, Vt, Cm.
std::set<std::string> names_after_macro(const std::string& page, const std::string& macro);

// The code between `.Bd -literal` and `.Ed`, one after the other.
std::vector<std::string> literal_blocks(const std::string& page);

// What is missing in `there` of what is `here`: for EXPECT_THAT(…, IsEmpty()).
std::set<std::string> missing(const std::set<std::string>& here, const std::set<std::string>& there);

}  // namespace holdfast::docs
