#include "os/environment_file.hpp"

#include <string_view>

#include "os/read_file.hpp"

namespace holdfast::os {
namespace {

constexpr std::size_t size_limit = 1 << 20;
constexpr std::string_view blanks = " \t\r";

bool is_comment(std::string_view line) {
    const auto first = line.find_first_not_of(blanks);
    return first == std::string_view::npos || line[first] == '#';
}

// The syntax error in a line that is not a comment; nullptr if there is none.
const char* fault_of(std::string_view line) {
    if (line.find('\0') != std::string_view::npos) return "it contains a NUL byte";
    const auto equals = line.find('=');
    if (equals == std::string_view::npos || equals == 0) return "expected KEY=VALUE";
    if (line.substr(0, equals).find_first_of(blanks) != std::string_view::npos) {
        return "expected KEY=VALUE, without spaces before the '='";
    }
    return nullptr;
}

}  // namespace

std::optional<LaunchFailure> add_environment_file(const std::string& path, Environment& environment) {
    const auto content = read_file(path, size_limit);
    if (!content) return LaunchFailure{"read the environment file " + path, content.error().code};
    std::string_view rest = *content;
    for (int number = 1; !rest.empty(); ++number) {
        const auto end = rest.find('\n');
        std::string_view line = rest.substr(0, end);
        rest.remove_prefix(end == std::string_view::npos ? rest.size() : end + 1);
        if (line.ends_with('\r')) line.remove_suffix(1);
        if (is_comment(line)) continue;
        if (const char* fault = fault_of(line)) {
            return LaunchFailure{"read the environment file " + path + ":" + std::to_string(number) + ": " + fault, 0};
        }
        environment.set(std::string(line));
    }
    return std::nullopt;
}

}  // namespace holdfast::os
