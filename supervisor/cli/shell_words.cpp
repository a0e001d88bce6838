#include "cli/shell_words.hpp"

#include <optional>

namespace holdfast::cli {
namespace {

bool is_blank(char c) { return c == ' ' || c == '\t'; }

class Splitter {
  public:
    explicit Splitter(std::string_view line) : line_(line) {}

    Result<std::vector<std::string>> split() {
        for (; at_ < line_.size(); ++at_) {
            if (const auto wrong = take(line_[at_]); !wrong) return wrong.error();
        }
        if (quote_ != '\0') return error(std::string("a closing ") + quote_ + " is missing");
        finish_word();
        return std::move(words_);
    }

  private:
    Result<void> take(char c) {
        if (quote_ != '\0') return take_quoted(c);
        if (is_blank(c)) {
            finish_word();
        } else if (c == '\'' || c == '"') {
            quote_ = c;
            word_ = word_.value_or("");
        } else if (c == '\\') {
            if (at_ + 1 == line_.size()) return error("nothing follows the last backslash");
            add(line_[++at_]);
        } else if (c == '#' && !word_) {
            return error("a comment must be on its own line; put a word that begins with # in quotes");
        } else {
            add(c);
        }
        return {};
    }

    Result<void> take_quoted(char c) {
        const char next = at_ + 1 < line_.size() ? line_[at_ + 1] : '\0';
        if (c == quote_) {
            quote_ = '\0';
        } else if (quote_ == '"' && c == '\\' && (next == '"' || next == '\\')) {
            ++at_;
            add(next);
        } else {
            add(c);
        }
        return {};
    }

    void add(char c) {
        word_ = word_.value_or("");
        word_->push_back(c);
    }

    void finish_word() {
        if (word_) words_.push_back(*std::move(word_));
        word_.reset();
    }

    std::string_view line_;
    std::size_t at_ = 0;
    char quote_ = '\0';
    std::optional<std::string> word_;  // "" is a word too
    std::vector<std::string> words_;
};

}  // namespace

Result<std::vector<std::string>> split_words(std::string_view line) { return Splitter(line).split(); }

}  // namespace holdfast::cli
