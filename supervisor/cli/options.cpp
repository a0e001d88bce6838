#include "cli/options.hpp"

#include <algorithm>
#include <array>

#include "base/parse.hpp"
#include "cli/commands.hpp"
#include "cli/help.hpp"
#include "cli/option_table.hpp"
#include "cli/service_name.hpp"
#include "cli/tokens.hpp"
#include "cli/values.hpp"

namespace holdfast::cli {
namespace {

using Words = std::vector<std::string>;

constexpr OptionWords help_option{"help", "", "", "print this and end"};
constexpr OptionWords version_option{"version", "", "", "print the version and end"};

UsageError usage(std::string_view command, const std::string& text) {
    return {(command.empty() ? std::string{} : std::string(command) + ": ") + text};
}

UsageError usage(std::string_view command, std::string_view option, const Error& problem) {
    return usage(command, "--" + std::string(option) + ": " + problem.text);
}

bool has(const Tokens& tokens, std::string_view option) {
    return std::ranges::find(tokens.options, option, &GivenOption::name) != tokens.options.end();
}

Command no_command(const Words& words) {
    const std::string form = "write holdfast run [OPTIONS] -- COMMAND [ARG...]";
    if (words.empty()) return usage("run", "there is no command to run: " + form);
    return usage("run", quoted(words.front()) + " is no option; the command stands behind \"--\": " + form);
}

Command finish_run(RunDraft draft) {
    core::Configuration& configuration = draft.configuration;
    if (const auto fine = find_contradiction(draft); !fine) return usage("run", fine.error().text);
    if (const auto fault = core::find_fault(configuration.policy)) return usage("run", *fault);
    if (!configuration.name.empty()) return RunCommand{std::move(configuration)};
    const auto name = default_name(configuration.launch.command);
    if (!name) return usage("run", name.error().text);
    configuration.name = *name;
    return RunCommand{std::move(configuration)};
}

Command parse_run(const Words& arguments) {
    const auto dashes = std::ranges::find(arguments, "--");
    std::vector<OptionWords> known{help_option, version_option};
    for (const RunOption& option : run_options()) known.push_back(option.words);
    const auto tokens = tokenize({arguments.begin(), dashes}, known, later_run_options());
    if (!tokens) return usage("run", tokens.error().text);
    if (has(*tokens, "help")) return Text{help_of("run")};
    if (has(*tokens, "version")) return Text{version_text()};

    RunDraft draft;
    std::vector<std::string> seen;
    for (const GivenOption& given : tokens->options) {
        const auto row =
            std::ranges::find(run_options(), given.name, [](const RunOption& option) { return option.words.name; });
        if (row->repeat == Repeat::no && std::ranges::find(seen, given.name) != seen.end()) {
            return usage("run", "--" + given.name + " is given twice");
        }
        seen.push_back(given.name);
        if (const auto done = row->apply(given.value, draft); !done) return usage("run", given.name, done.error());
    }
    if (!tokens->words.empty() || dashes == arguments.end() || dashes + 1 == arguments.end()) {
        return no_command(tokens->words);
    }
    draft.configuration.launch.command.assign(dashes + 1, arguments.end());
    if (draft.configuration.launch.command.front().empty()) return usage("run", "the command is empty");
    return finish_run(std::move(draft));
}

// The words of `scale [NAME] N`, `restart [NAME]`.
Result<void> take_words(Words words, ClientCommand& command) {
    if (command.verb == Verb::scale) {
        if (words.empty()) return error("a number of workers is missing: write holdfast scale [NAME] N");
        const auto count = parse_count(words.back(), 0, core::max_workers);
        if (!count) return error("N: " + count.error().text);
        command.workers = static_cast<int>(*count);
        words.pop_back();
    }
    if (words.size() > 1) return error(quoted(words[1]) + " is one word too many");
    if (words.empty()) return {};
    const auto name = parse_name(words.front());
    if (!name) return name.error();
    command.name = *name;
    return {};
}

Command parse_client(Verb verb, std::string_view word, const Words& arguments) {
    ClientCommand command;
    command.verb = verb;
    std::vector<OptionWords> known{help_option};
    const auto rows = client_options_of(word);
    for (const ClientOption* option : rows) known.push_back(option->words);
    const auto tokens = tokenize(arguments, known, later_client_options());
    if (!tokens) return usage(word, tokens.error().text);
    if (has(*tokens, "help")) return Text{help_of(word)};
    for (const GivenOption& given : tokens->options) {
        const auto row =
            std::ranges::find(rows, given.name, [](const ClientOption* option) { return option->words.name; });
        if (const auto done = (*row)->apply(given.value, command); !done) return usage(word, given.name, done.error());
    }
    if (const auto done = take_words(tokens->words, command); !done) return usage(word, done.error().text);
    return command;
}

Command unknown_command(const std::string& word) {
    std::vector<std::string_view> commands(later_commands().begin(), later_commands().end());
    if (std::ranges::find(commands, word) != commands.end()) {
        return usage({}, quoted(word) + " is not part of this version");
    }
    if (word == "start" || word == "up") return usage({}, "there is no command " + quoted(word) + ", it is run");
    std::vector<std::string_view> present{"--help", "--version"};
    const std::string_view kind = word.starts_with('-') ? "option " : "command ";
    if (!word.starts_with('-')) present.clear();
    for (const CommandRow& row : command_table()) present.push_back(row.name);
    const std::string meant = hint(word, present);
    return usage({}, "there is no " + std::string(kind) + quoted(word) +
                         (meant.empty() ? ": it is " : meant + " It is ") + join(present));
}

Command parse_help(const Words& arguments) {
    if (arguments.empty()) return Text{help_text()};
    const auto row = std::ranges::find(command_table(), arguments.front(), &CommandRow::name);
    if (row == command_table().end()) return unknown_command(arguments.front());
    return Text{help_of(row->name)};
}

}  // namespace

Command parse(const Words& arguments) {
    if (arguments.empty()) return usage({}, "a command is missing\n" + help_text());
    const std::string& word = arguments.front();
    const Words rest(arguments.begin() + 1, arguments.end());
    if (word == "run") return parse_run(rest);
    if (word == "restart") return parse_client(Verb::restart, word, rest);
    if (word == "stop") return parse_client(Verb::stop, word, rest);
    if (word == "status") return parse_client(Verb::status, word, rest);
    if (word == "scale") return parse_client(Verb::scale, word, rest);
    if (word == "help" || word == "--help" || word == "-h") return parse_help(rest);
    if (word == "version" || word == "--version" || word == "-V") return Text{version_text()};
    return unknown_command(word);
}

}  // namespace holdfast::cli
