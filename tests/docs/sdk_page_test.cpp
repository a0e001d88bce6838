// Compares holdfast-sdk(3) with the headers of the SDK in both directions.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <regex>
#include <sstream>
#include <string>

#include "doc_parser.hpp"

namespace holdfast::docs {
namespace {

using testing::IsEmpty;

std::string sdk_page() { return read("man/holdfast-sdk.3"); }

// The headers that every program includes. For the other headers, the adapters, the manual only says what they are for.
constexpr const char* headers[] = {"worker",   "acceptor", "callback", "keep_alive",
                                   "listener", "report",   "request",  "resource"};

std::string header(const std::string& name) {
    return without_comments(read("child-sdk/include/holdfast/" + name + ".hpp"));
}

// The function that a line of a header declares; empty if it declares none.
std::string function_in(const std::string& line) {
    static const std::regex skipped("^\\s*(using|requires|template)\\b");
    static const std::regex name("(?:^|[\\s&*])(~?[a-z]\\w*)\\(");
    std::smatch found;
    if (std::regex_search(line, skipped) || !std::regex_search(line, found, name)) return {};
    const std::string function = found[1];
    const bool is_member_variable = function.ends_with('_');
    return function == "operator" || is_member_variable ? std::string() : function;
}

// Relies on the formatting of the headers: public members are indented by four columns, free functions by none.
std::set<std::string> public_functions(const std::string& code) {
    static const std::regex member("^ {4}[^ ].*"), free("^[a-z].*\\);$");
    std::set<std::string> functions;
    bool is_public = true;
    std::istringstream stream(code);
    for (std::string line; std::getline(stream, line);) {
        if (line.starts_with("class ") || line.starts_with("struct ") || line == "  public:") is_public = true;
        if (line == "  private:" || line == "  protected:") is_public = false;
        const bool counts = std::regex_match(line, free) || (is_public && std::regex_match(line, member));
        if (counts && !function_in(line).empty()) functions.insert(function_in(line));
    }
    return functions;
}

std::set<std::string> functions_of_c() {
    const std::string code = without_comments(read("child-sdk/include/holdfast.h"));
    return all_of(code, "\n(?:int|const char\\*) (holdfast_\\w+)\\(");
}

TEST(SdkPage, HasEveryPublicFunctionOfCpp) {
    std::set<std::string> functions;
    for (const char* name : headers) functions.merge(public_functions(header(name)));
    ASSERT_TRUE(functions.contains("begin_request") && functions.contains("half_close"))
        << "the headers were parsed incorrectly";
    auto named = names_after_macro(sdk_page(), "Fn");
    for (const std::string& field : names_after_macro(sdk_page(), "Fa")) named.insert(field);
    EXPECT_THAT(missing(functions, named), IsEmpty());
}

TEST(SdkPage, HasEveryClassOfCpp) {
    std::set<std::string> classes;
    for (const char* name : headers) classes.merge(all_of(header(name), "\n(?:class|struct) (\\w+) \\{"));
    auto named = names_after_macro(sdk_page(), "Vt");
    named.merge(names_after_macro(sdk_page(), "Fn"));
    EXPECT_THAT(missing(classes, named), IsEmpty());
}

TEST(SdkPage, HasEveryOptionOfAWorker) {
    const std::string code = header("worker");
    const std::size_t begin = code.find("struct WorkerOptions");
    const std::string options = code.substr(begin, code.find("\n};", begin) - begin);
    const auto fields = all_of(options, "\n    [a-zA-Z][^\n]* (\\w+)(?:\\{[^\n]*\\}| = [^\n]*);");
    ASSERT_TRUE(fields.contains("lame_duck") && fields.contains("post")) << "the header was parsed incorrectly";
    EXPECT_THAT(missing(fields, names_after_macro(sdk_page(), "Fa")), IsEmpty());
}

TEST(SdkPage, HasEveryFunctionOfCAndNoOther) {
    std::set<std::string> named;
    for (const std::string& name : names_after_macro(sdk_page(), "Fn")) {
        if (name.starts_with("holdfast_")) named.insert(name);
    }
    EXPECT_EQ(named, functions_of_c());
}

TEST(SdkPage, HasEveryHeader) {
    const std::string folder = "child-sdk/include/";
    std::set<std::string> files;
    for (const std::string& file : files_below(folder, {".hpp", ".h"})) {
        if (file.find("/detail/") == file.npos) files.insert(file.substr(folder.size()));
    }
    EXPECT_EQ(names_after_macro(sdk_page(), "In"), files);
}

TEST(SdkPage, HasEveryExample) {
    const std::string text = sdk_page();
    for (const std::string& file : files_below("child-sdk/examples", {".cpp"})) {
        const std::filesystem::path path = file;
        if (path.parent_path() != "child-sdk/examples") continue;  // workers of the tests
        EXPECT_THAT(text, testing::HasSubstr(".Pa " + path.filename().string()));
    }
}

TEST(SdkPage, HasEveryVariableThatTheLibraryReadsAndNoOther) {
    std::string code;
    for (const std::string& file : files_below("child-sdk/src", {".cpp", ".hpp"})) code += without_comments(read(file));
    const auto variables = all_of(code, "\"(HOLDFAST_[A-Z_]+|LISTEN_[A-Z]+)\"");
    ASSERT_TRUE(variables.contains("HOLDFAST_HEALTH") && variables.contains("LISTEN_FDS"))
        << "the sources were parsed incorrectly";
    std::set<std::string> listed;
    for (const auto& [head, body] : items_of(sdk_page(), "ENVIRONMENT")) {
        EXPECT_FALSE(body.empty()) << head;
        listed.merge(all_of(head, "([A-Z_]{2,})"));
    }
    EXPECT_EQ(listed, variables);
}

TEST(SdkPage, HasEveryVariableThatPythonAndNodeRead) {
    const std::string code = read("child-sdk/python/holdfast.py") + read("child-sdk/node/native.js");
    EXPECT_THAT(missing(all_of(code, "env\\w*(?:\\.get\\(\"|\\.)(HOLDFAST_\\w+)"), names_after_macro(sdk_page(), "Ev")),
                IsEmpty());
}

TEST(SdkPage, HasTheExitStatus) {
    std::set<std::string> statuses;
    for (const auto& [head, body] : items_of(sdk_page(), "EXIT STATUS")) statuses.insert(head);
    EXPECT_EQ(statuses, (std::set<std::string>{"0", "3"}));
}

}  // namespace
}  // namespace holdfast::docs
