#include "cli/service_name.hpp"

#include <algorithm>
#include <array>
#include <span>
#include <string_view>

#include "cli/values.hpp"

namespace holdfast::cli {
namespace {

using Arguments = std::span<const std::string>;

std::string_view base_name(std::string_view path) { return path.substr(path.rfind('/') + 1); }

// "python3.11" -> "python"
std::string_view without_version(std::string_view program) {
    return program.substr(0, program.find_last_not_of("0123456789.") + 1);
}

bool is_shell(std::string_view program) {
    constexpr std::array<std::string_view, 7> shells{"sh", "bash", "dash", "ash", "zsh", "ksh", "fish"};
    return std::ranges::find(shells, program) != shells.end();
}

bool is_interpreter(std::string_view program) {
    constexpr std::array<std::string_view, 7> interpreters{"perl", "python", "ruby", "node", "nodejs", "php", "lua"};
    return std::ranges::find(interpreters, without_version(program)) != interpreters.end();
}

// Whether this option is followed by program text instead of a file, as in `sh -c 'a; b'`, `bash -lc` and `node -e`.
bool is_inline(std::string_view program, std::string_view option) {
    if (is_shell(program)) return !option.starts_with("--") && option.ends_with('c');
    return option == "-c" || option == "-e" || option == "-E" || option == "--eval" || option == "-";
}

// Interpreter options that take the next word as their value.
bool takes_value(std::string_view option) {
    constexpr std::array<std::string_view, 6> options{"-W", "-X", "-r", "--require", "--import", "--loader"};
    return std::ranges::find(options, option) != options.end();
}

Error needs_name(std::string_view program, std::string_view option) {
    return error("cannot name the service after " + in_quotes(std::string(program) + " " + std::string(option)) +
                 ": give it a name, like --name web");
}

// `words`: the arguments of the interpreter.
Result<std::string> script_name(std::string_view program, Arguments words) {
    while (!words.empty() && words.front().starts_with('-') && words.front() != "--") {
        const std::string_view option = words.front();
        if (is_inline(program, option)) return needs_name(program, option);
        if (option == "-m" && words.size() > 1) return std::string(words[1]);
        words = words.subspan(std::min<std::size_t>(words.size(), takes_value(option) ? 2 : 1));
    }
    if (!words.empty() && words.front() == "--") words = words.subspan(1);
    return std::string(base_name(words.empty() ? program : std::string_view(words.front())));
}

Arguments command_of_env(Arguments words) {
    words = words.subspan(1);
    while (!words.empty() && (words.front().starts_with('-') || words.front().find('=') != std::string::npos)) {
        words = words.subspan(1);
    }
    return words;
}

}  // namespace

Result<std::string> default_name(const std::vector<std::string>& command) {
    Arguments words(command);
    if (base_name(words.front()) == "env") words = command_of_env(words);
    if (words.empty()) return std::string("env");
    const std::string_view program = base_name(words.front());
    const bool has_script = is_shell(program) || is_interpreter(program);
    const auto name = has_script ? script_name(program, words.subspan(1)) : std::string(program);
    if (!name) return name;
    if (const auto valid = parse_name(*name)) return valid;
    return error("cannot name the service after " + in_quotes(*name) + ": give it a name, like --name web");
}

}  // namespace holdfast::cli
