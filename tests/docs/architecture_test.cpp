// Compares supervisor/ARCHITECTURE.md with the source tree: the files and functions that it names exist, and it lists
// every file.
#include <gtest/gtest.h>

#include <regex>
#include <string>
#include <utility>

#include "doc_parser.hpp"

namespace holdfast::docs {
namespace {

std::string page() { return read("supervisor/ARCHITECTURE.md"); }

// A section on one line, so that the patterns also match across line breaks.
std::string section(const std::string& heading) {
    const std::string text = page();
    const std::size_t begin = text.find("\n## " + heading + "\n");
    EXPECT_NE(begin, text.npos) << heading;
    return std::regex_replace(text.substr(begin, text.find("\n## ", begin + 1) - begin), std::regex("\\s+"), " ");
}

bool exists(const std::string& path) {
    const std::filesystem::path file = std::filesystem::path(HOLDFAST_SOURCES) / "supervisor" / path;
    return std::filesystem::exists(file) || std::filesystem::exists(file.string() + ".hpp");
}

using Function = std::pair<std::string, std::string>;  // file, name

// Functions that are named as "`core/rollout.cpp` (`on_prepared`, `advance_rollout`)" or as "`on_prepared` in
// `core/rollout.cpp`".
std::set<Function> functions_named_in(const std::string& text) {
    static const std::regex file_first("`([a-z_/]+\\.cpp)` \\(((?:`\\w+`(?:, )?)+)\\)");
    static const std::regex function_first("`(\\w+)` in `([a-z_/]+\\.cpp)`");
    std::set<Function> functions;
    for (std::sregex_iterator at(text.begin(), text.end(), file_first), end; at != end; ++at) {
        for (const std::string& name : all_of((*at)[2], "`(\\w+)`")) functions.emplace((*at)[1], name);
    }
    for (std::sregex_iterator at(text.begin(), text.end(), function_first), end; at != end; ++at) {
        functions.emplace((*at)[2], (*at)[1]);
    }
    return functions;
}

bool is_declared(const Function& function) {
    const std::string path = "supervisor/" + function.first;
    const std::string header = path.substr(0, path.size() - 3) + "hpp";
    const bool has_header = std::filesystem::exists(std::filesystem::path(HOLDFAST_SOURCES) / header);
    const std::string code = without_comments(read(path) + (has_header ? read(header) : ""));
    return std::regex_search(code, std::regex("\\b" + function.second + "\\("));
}

// The names of the files without their endings, as the page lists them.
std::set<std::string> files_in(const std::string& room) {
    const std::string folder = "supervisor/" + room;
    std::set<std::string> names;
    for (const std::string& file : files_below(folder, {".hpp", ".cpp", ".in"})) {
        const std::filesystem::path path = file;
        if (path.parent_path() != std::filesystem::path(folder)) continue;
        names.insert(path.filename().string().substr(0, path.filename().string().find('.')));
    }
    return names;
}

TEST(Architecture, NamesFilesThatExist) {
    for (const std::string& path : all_of(page(), "`((?:base|json|core|os|runtime|api|cli)/[a-z_/]+(?:\\.[ch]pp)?)`")) {
        EXPECT_TRUE(exists(path)) << path;
    }
}

TEST(Architecture, NamesFunctionsThatExist) {
    const auto functions = functions_named_in(section("From SIGHUP to the last exit"));
    ASSERT_GT(functions.size(), 50U) << "the page was parsed incorrectly";
    for (const Function& function : functions) {
        EXPECT_TRUE(exists(function.first) && is_declared(function)) << function.first << ": " << function.second;
    }
}

TEST(Architecture, ListsEveryFileOfARoomAndNoOther) {
    const std::string text = page();
    const auto rooms = all_of(text, "\n### `([a-z/]+)/`\n");
    EXPECT_EQ(rooms, (std::set<std::string>{"base", "json", "core", "core/describe", "os", "runtime", "api/server",
                                            "api/client", "cli"}));
    for (const std::string& room : rooms) {
        const std::size_t begin = text.find("\n### `" + room + "/`\n") + 1;
        const std::string list = text.substr(begin, text.find("\n#", begin) - begin);
        EXPECT_EQ(all_of(list, "\n- `(\\w+)`"), files_in(room)) << room;
    }
}

}  // namespace
}  // namespace holdfast::docs
