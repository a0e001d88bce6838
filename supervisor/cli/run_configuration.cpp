#include "cli/run_configuration.hpp"

#include <algorithm>
#include <map>

#include "cli/config_file.hpp"
#include "cli/help.hpp"
#include "cli/option_table.hpp"
#include "cli/service_name.hpp"
#include "cli/shell_words.hpp"
#include "cli/tokens.hpp"
#include "cli/values.hpp"

namespace holdfast::cli {
namespace {

using Words = std::vector<std::string>;

constexpr OptionSpec help_option{"help", "", "", "print this help and exit"};
constexpr OptionSpec version_option{"version", "", "", "print the version and exit"};
constexpr std::string_view config_option = "config";  // not a key of the file: files do not include files

const RunOption* find_option(std::string_view name) {
    const auto row = std::ranges::find(run_options(), name, [](const RunOption& option) { return option.spec.name; });
    return row == run_options().end() ? nullptr : &*row;
}

Error no_command(const Words& words, std::string_view command) {
    const std::string form = "write holdfast " + std::string(command) + " [OPTIONS] -- COMMAND [ARG...]";
    if (words.empty()) return error("there is no command to run: " + form);
    return error(in_quotes(words.front()) + " is not an option; the command must follow \"--\": " + form);
}

// Applies the options of the command line in their order. Only options that may be repeated may occur twice.
Result<void> apply_arguments(const std::vector<GivenOption>& given, RunDraft& draft) {
    std::vector<std::string> seen;
    for (const GivenOption& option : given) {
        const RunOption* row = find_option(option.name);
        if (row->repeat == Repeat::no && std::ranges::find(seen, option.name) != seen.end()) {
            return error("--" + option.name + " is given twice");
        }
        seen.push_back(option.name);
        if (const auto done = row->apply(option.value, draft); !done) {
            return error("--" + option.name + ": " + done.error().text);
        }
    }
    return {};
}

Error unknown_key(const std::string& key) {
    const auto planned = planned_run_options();
    if (std::ranges::find(planned, key) != planned.end()) return error(key + " is not part of this version");
    std::vector<std::string_view> known{"command"};
    for (const RunOption& option : run_options()) known.push_back(option.spec.name);
    std::erase(known, config_option);
    const std::string meant = hint(key, known);
    if (!meant.empty()) return error("there is no key " + in_quotes(key) + meant);
    return error("there is no key " + in_quotes(key) + ": the keys are the names of the options of run, and command");
}

Result<void> apply_switch(const RunOption& option, std::string_view value, RunDraft& draft) {
    constexpr std::array<std::string_view, 2> answers{"yes", "no"};
    const auto answer = parse_choice(value, answers);
    if (!answer) return answer.error();
    return *answer == 0 ? option.apply({}, draft) : Result<void>{};
}

Result<void> apply_entry(const ConfigEntry& entry, RunDraft& draft) {
    if (entry.key == "command") {
        auto words = split_words(entry.value);
        if (!words) return error("command: " + words.error().text);
        if (words->empty()) return error("command: the value is empty");
        draft.configuration.launch.command = *std::move(words);
        return {};
    }
    const RunOption* row = find_option(entry.key);
    if (row == nullptr) return unknown_key(entry.key);
    if (entry.key == config_option) return error("config: a configuration file cannot include another one");
    const auto done =
        row->spec.argument.empty() ? apply_switch(*row, entry.value, draft) : row->apply(entry.value, draft);
    return done ? done : error(entry.key + ": " + done.error().text);
}

bool is_given(const std::vector<GivenOption>& given, std::string_view name) {
    return std::ranges::find(given, name, &GivenOption::name) != given.end();
}

// Applies the entries of the file. An entry that the command line overrides is validated but not applied.
Result<void> apply_file(const std::string& path, const std::vector<GivenOption>& given, RunDraft& draft) {
    const auto text = read_config_file(path);
    if (!text) return text.error();
    const auto entries = parse_config_entries(*text);
    if (!entries) return error(path + ":" + entries.error().text);
    RunDraft overridden;
    std::map<std::string, int> seen;
    for (const ConfigEntry& entry : *entries) {
        const std::string location = path + ":" + std::to_string(entry.line) + ": ";
        const auto done = apply_entry(entry, is_given(given, entry.key) ? overridden : draft);
        if (!done) return error(location + done.error().text);
        const RunOption* row = find_option(entry.key);
        const auto [first, is_new] = seen.emplace(entry.key, entry.line);
        if (!is_new && (row == nullptr || row->repeat == Repeat::no)) {
            return error(location + entry.key + " is given twice, first in line " + std::to_string(first->second));
        }
    }
    draft.configuration.file = path;
    return {};
}

Result<core::Configuration> finish(RunDraft draft) {
    core::Configuration& configuration = draft.configuration;
    if (configuration.launch.command.front().empty()) return error("the command is empty");
    if (const auto fine = validate_options(draft); !fine) return fine.error();
    if (const auto fault = core::find_fault(configuration.policy)) return error(*fault);
    if (!configuration.name.empty()) return std::move(configuration);
    auto name = default_name(configuration.launch.command);
    if (!name) return name.error();
    configuration.name = *std::move(name);
    return std::move(configuration);
}

Result<core::Configuration> build(std::string_view command, const Tokens& tokens, const Words& command_words) {
    RunDraft draft;
    const auto file = std::ranges::find(tokens.options, config_option, &GivenOption::name);
    if (file != tokens.options.end() && !file->value.empty()) {
        if (const auto done = apply_file(file->value, tokens.options, draft); !done) return done.error();
    }
    if (const auto done = apply_arguments(tokens.options, draft); !done) return done.error();
    if (!tokens.words.empty()) return no_command(tokens.words, command);
    if (!command_words.empty()) draft.configuration.launch.command = command_words;
    if (draft.configuration.launch.command.empty()) return no_command({}, command);
    return finish(std::move(draft));
}

}  // namespace

std::variant<core::Configuration, Text, UsageError> parse_configuration(std::string_view command,
                                                                        const Words& arguments) {
    const auto wrong = [&](const Error& problem) { return UsageError{std::string(command) + ": " + problem.text}; };
    const auto dashes = std::ranges::find(arguments, "--");
    std::vector<OptionSpec> known{help_option, version_option};
    for (const RunOption& option : run_options()) known.push_back(option.spec);
    const auto tokens = tokenize({arguments.begin(), dashes}, known, planned_run_options());
    if (!tokens) return wrong(tokens.error());
    if (is_given(tokens->options, help_option.name)) return Text{help_of(command)};
    if (is_given(tokens->options, version_option.name)) return Text{version_text()};
    Words command_words;
    if (dashes != arguments.end()) command_words.assign(dashes + 1, arguments.end());
    auto configuration = build(command, *tokens, command_words);
    if (!configuration) return wrong(configuration.error());
    return *std::move(configuration);
}

Result<core::Configuration> parse_configuration_file(const std::string& path) {
    RunDraft draft;
    if (const auto done = apply_file(path, {}, draft); !done) return done.error();
    if (draft.configuration.launch.command.empty()) draft.configuration.launch.command = {"unknown"};
    return finish(std::move(draft));
}

}  // namespace holdfast::cli
