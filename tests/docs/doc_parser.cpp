#include "doc_parser.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <fstream>
#include <iterator>
#include <regex>
#include <sstream>

namespace holdfast::docs {

namespace {

const std::filesystem::path top = HOLDFAST_SOURCES;

std::vector<std::string> lines_of(const std::string& text) {
    std::istringstream stream(text);
    std::vector<std::string> lines;
    for (std::string line; std::getline(stream, line);) lines.push_back(line);
    return lines;
}

// The words of a line of a manual page, without words that are only punctuation.
std::vector<std::string> words_of(const std::string& line) {
    std::istringstream stream(line);
    std::vector<std::string> words;
    for (std::string word; stream >> word;) {
        if (word.find_first_not_of(".,:;()") != word.npos) words.push_back(word);
    }
    return words;
}

bool is_macro(const std::string& word) {
    return word.size() == 2 && std::isupper(word[0]) != 0 && std::islower(word[1]) != 0;
}

// `Fn` takes one name followed by its arguments; other macros take any number of names.
void add_names(const std::string& line, const std::string& macro, std::set<std::string>& names) {
    bool is_name = false;
    for (const std::string& word : words_of(line.substr(1))) {
        if (is_macro(word)) {
            is_name = word == macro;
        } else if (is_name) {
            names.insert(word);
            is_name = macro != "Fn";
        }
    }
}

std::vector<std::string> blocks_between(const std::string& text, const std::string& begin, const std::string& end) {
    std::vector<std::string> blocks;
    bool is_inside = false;
    for (const std::string& line : lines_of(text)) {
        if (is_inside && line == end) {
            is_inside = false;
        } else if (is_inside) {
            blocks.back() += line + '\n';
        } else if (line.starts_with(begin)) {
            is_inside = true;
            blocks.emplace_back();
        }
    }
    return blocks;
}

}  // namespace

std::string read(const std::string& path) {
    std::ifstream file(top / path);
    EXPECT_TRUE(file.is_open()) << path;
    return {std::istreambuf_iterator<char>(file), {}};
}

std::vector<std::string> files_below(const std::string& folder, const std::set<std::string>& endings) {
    std::vector<std::string> files;
    for (const auto& entry : std::filesystem::recursive_directory_iterator(top / folder)) {
        const bool is_wanted = entry.is_regular_file() && endings.contains(entry.path().extension());
        if (is_wanted) files.push_back(entry.path().lexically_relative(top));
    }
    EXPECT_FALSE(files.empty()) << folder;
    std::ranges::sort(files);
    return files;
}

std::string without_comments(const std::string& code) { return std::regex_replace(code, std::regex("//[^\n]*"), ""); }

std::set<std::string> all_of(const std::string& text, const std::string& pattern) {
    const std::regex regex(pattern);
    std::set<std::string> found;
    for (std::sregex_iterator at(text.begin(), text.end(), regex), end; at != end; ++at) found.insert((*at)[1]);
    EXPECT_FALSE(found.empty()) << pattern;
    return found;
}

std::map<std::string, std::string> items_of(const std::string& page, const std::string& heading) {
    std::map<std::string, std::string> items;
    std::string head;
    bool is_inside = false;
    for (const std::string& line : lines_of(page)) {
        if (line.starts_with(".Sh ") || line.starts_with(".Ss ")) is_inside = line.substr(4) == heading;
        if (!is_inside) continue;
        if (line.starts_with(".It ")) {
            head = line.substr(4);
            items[head];
        } else if (!head.empty()) {
            items[head] += line + '\n';
        }
    }
    EXPECT_FALSE(items.empty()) << "no list under \"" << heading << '"';
    return items;
}

std::set<std::string> names_after_macro(const std::string& page, const std::string& macro) {
    std::set<std::string> names;
    for (const std::string& line : lines_of(page)) {
        if (line.starts_with('.')) add_names(line, macro, names);
    }
    EXPECT_FALSE(names.empty()) << macro;
    return names;
}

std::vector<std::string> literal_blocks(const std::string& page) {
    std::vector<std::string> blocks = blocks_between(page, ".Bd -literal", ".Ed");
    for (std::string& block : blocks) block = std::regex_replace(block, std::regex(R"(\\e)"), "\\");
    return blocks;
}

std::set<std::string> missing(const std::set<std::string>& here, const std::set<std::string>& there) {
    std::set<std::string> result;
    std::ranges::set_difference(here, there, std::inserter(result, result.end()));
    return result;
}

}  // namespace holdfast::docs
