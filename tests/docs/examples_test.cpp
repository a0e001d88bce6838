// The code blocks of holdfast-sdk(3) compile unchanged. tests/readme runs those of README.md.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdlib>
#include <fstream>
#include <string>

#include "doc_parser.hpp"

namespace holdfast::docs {
namespace {

enum class Language { c, cpp };

// A temporary file that the destructor removes.
class Scratch {
  public:
    explicit Scratch(const std::string& ending)
        : path_(testing::TempDir() + "holdfast_docs_" + std::to_string(::getpid()) + ending) {}
    ~Scratch() { std::filesystem::remove(path_); }
    Scratch(const Scratch&) = delete;
    Scratch& operator=(const Scratch&) = delete;

    const std::string& path() const { return path_; }
    std::string content() const {
        std::ifstream file(path_);
        return {std::istreambuf_iterator<char>(file), {}};
    }

  private:
    std::string path_;
};

bool has(const std::string& text, const std::string& part) { return text.find(part) != text.npos; }

// A block without a function becomes the body of one; if it does not define a worker, the worker is a parameter.
std::string as_program(const std::string& code, Language language) {
    const bool is_whole = has(code, "int main()") || has(code, "void order(");
    if (is_whole) return code;
    if (language == Language::c) return "int block(void) {\n" + code + "return status;\n}\n";
    return std::string("int block(") + (has(code, "holdfast::Worker worker") ? "" : "holdfast::Worker& worker") +
           ") {\n" + code + (has(code, "return ") ? "" : "return 0;\n") + "}\n";
}

// The error output of the compiler; empty if the code compiles.
std::string compile_errors(const std::string& code, Language language) {
    const bool is_c = language == Language::c;
    const Scratch source(is_c ? ".c" : ".cpp");
    const Scratch errors(".txt");
    std::ofstream(source.path()) << (is_c ? "#include \"prelude.h\"\n" : "#include \"prelude.hpp\"\n")
                                 << as_program(code, language);
    const std::string compiler = is_c ? HOLDFAST_CC " -std=c99" : HOLDFAST_CXX " -std=c++20";
    const std::string flags = " -fsyntax-only -Wall -Wextra -Werror -I" HOLDFAST_SOURCES
                              "/child-sdk/include -I" HOLDFAST_SOURCES "/tests/docs ";
    const int status = std::system((compiler + flags + source.path() + " 2>" + errors.path()).c_str());
    if (status == 0) return {};
    return code + "\n" + errors.content() + "\nstatus " + std::to_string(status);
}

TEST(SdkPage, HasCodeThatCompiles) {
    int found = 0;
    for (const std::string& block : literal_blocks(read("man/holdfast-sdk.3"))) {
        const bool is_c = has(block, "holdfast_new(");
        const bool is_cpp = has(block, "holdfast::");
        if (!is_c && !is_cpp) continue;
        ++found;
        EXPECT_EQ(compile_errors(block, is_c ? Language::c : Language::cpp), "");
    }
    EXPECT_EQ(found, 4);
}

TEST(Examples, ThatDoNotCompileAreDetected) {
    EXPECT_THAT(compile_errors("worker.on_dream([] {});\n", Language::cpp), testing::HasSubstr("on_dream"));
    EXPECT_THAT(compile_errors("int status = holdfast_dream();\n", Language::c), testing::HasSubstr("holdfast_dream"));
}

}  // namespace
}  // namespace holdfast::docs
