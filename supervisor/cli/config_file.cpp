#include "cli/config_file.hpp"

#include <cerrno>
#include <filesystem>
#include <fstream>
#include <system_error>

#include "cli/values.hpp"

namespace holdfast::cli {
namespace {

std::string_view trimmed(std::string_view text) {
    constexpr std::string_view blanks = " \t\r";
    const std::size_t from = text.find_first_not_of(blanks);
    if (from == text.npos) return {};
    return text.substr(from, text.find_last_not_of(blanks) - from + 1);
}

Error at_line(int line, const std::string& text) { return error(std::to_string(line) + ": " + text); }

// A `#` that other file formats would take for a comment must not silently become part of a value.
bool looks_like_comment(std::string_view value) {
    return value.starts_with('#') || value.find(" #") != value.npos || value.find("\t#") != value.npos;
}

Result<ConfigEntry> parse_line(std::string_view text, int line) {
    const std::size_t mark = text.find('=');
    if (mark == text.npos) return at_line(line, in_quotes(text) + " is not a setting: write KEY = VALUE");
    ConfigEntry entry{std::string(trimmed(text.substr(0, mark))), std::string(trimmed(text.substr(mark + 1))), line};
    if (entry.key.empty()) return at_line(line, in_quotes(text) + " has no key: write KEY = VALUE");
    if (entry.value.find('\0') != std::string::npos)
        return at_line(line, entry.key + ": the value contains a NUL byte");
    // A command has its own rules for quotes and comments, see shell_words.hpp.
    if (entry.key != "command" && looks_like_comment(entry.value)) {
        return at_line(line, entry.key + ": " + in_quotes(entry.value) + ": a comment must be on its own line");
    }
    return entry;
}

}  // namespace

Result<std::vector<ConfigEntry>> parse_config_entries(std::string_view text) {
    std::vector<ConfigEntry> entries;
    int line = 0;
    while (!text.empty()) {
        const std::size_t end = std::min(text.find('\n'), text.size());
        const std::string_view content = trimmed(text.substr(0, end));
        text.remove_prefix(std::min(end + 1, text.size()));
        ++line;
        if (content.empty() || content.starts_with('#')) continue;
        auto entry = parse_line(content, line);
        if (!entry) return entry.error();
        entries.push_back(*std::move(entry));
    }
    return entries;
}

Result<std::string> read_config_file(const std::string& path) {
    const auto cannot = [&](const std::string& why) {
        return error("cannot read the configuration " + path + ": " + why);
    };
    std::error_code failure;
    const auto status = std::filesystem::status(path, failure);
    if (failure) return cannot(failure.message());
    if (!std::filesystem::is_regular_file(status)) {
        return cannot("it is not a regular file, and a reload has to read it again");
    }
    std::ifstream file(path, std::ios::binary);
    if (!file) return cannot(std::generic_category().message(errno));
    std::string text(largest_config_file + 1, '\0');
    file.read(text.data(), static_cast<std::streamsize>(text.size()));
    if (file.bad()) return cannot(std::generic_category().message(errno));
    text.resize(static_cast<std::size_t>(file.gcount()));
    if (text.size() > largest_config_file) {
        return cannot("it is larger than " + std::to_string(largest_config_file / 1024) + " KiB");
    }
    return text;
}

}  // namespace holdfast::cli
