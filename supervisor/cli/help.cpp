#include "cli/help.hpp"

#include <algorithm>

#include "cli/commands.hpp"
#include "cli/option_table.hpp"
#include "cli/version.hpp"

namespace holdfast::cli {
namespace {

constexpr std::size_t summary_column = 34;

// A line of two columns. Further lines of `right` are indented to the second column.
std::string line(std::string left, std::string_view right) {
    if (left.size() + 2 > summary_column) {
        left += "\n" + std::string(summary_column, ' ');
    } else {
        left.resize(summary_column, ' ');
    }
    for (const char character : right) {
        left += character;
        if (character == '\n') left += std::string(summary_column, ' ');
    }
    return left + "\n";
}

std::string option_line(const OptionSpec& option) {
    std::string left = "  --" + std::string(option.name);
    if (!option.argument.empty()) left.append(" ").append(option.argument);
    std::string right(option.summary);
    if (!option.default_value.empty()) right.append(" (").append(option.default_value).append(")");
    return line(std::move(left), right);
}

}  // namespace

std::string help_text() {
    std::string text = "usage: holdfast COMMAND ...\n\n";
    for (const CommandRow& row : command_table()) {
        text += line("  " + std::string(row.name) + " " + std::string(row.arguments), row.summary);
    }
    return text + "\nSee `holdfast help COMMAND` for the options of a command, and holdfast(1) for the manual.\n";
}

std::string help_of(std::string_view command) {
    const auto row = std::ranges::find(command_table(), command, &CommandRow::name);
    if (row == command_table().end()) return help_text();
    std::string text = "usage: holdfast " + std::string(row->name) + " " + std::string(row->arguments) + "\n\n" +
                       std::string(row->summary) + "\n\n";
    if (command == "run" || command == "check") {
        for (const RunOption& option : run_options()) text += option_line(option.spec);
        return text + "\nDurations have a unit: ms, s, m or h. Defaults are in parentheses.\n";
    }
    if (command == "doctor") {
        for (const OptionSpec& option : doctor_options()) text += option_line(option);
    }
    for (const ClientOption* option : client_options_of(command)) text += option_line(option->spec);
    return text;
}

std::string version_text() { return "holdfast " + std::string(version) + "\n"; }

}  // namespace holdfast::cli
