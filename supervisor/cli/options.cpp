#include "cli/options.hpp"

#include <algorithm>
#include <array>

#include "base/parse.hpp"
#include "cli/commands.hpp"
#include "cli/help.hpp"
#include "cli/option_table.hpp"
#include "cli/run_configuration.hpp"
#include "cli/tokens.hpp"
#include "cli/values.hpp"

namespace holdfast::cli {
namespace {

using Words = std::vector<std::string>;

constexpr OptionSpec help_option{"help", "", "", "print this help and exit"};

struct VerbWord {
    std::string_view word;
    Verb verb;
};
constexpr std::array verbs = {
    VerbWord{"restart", Verb::restart}, VerbWord{"reload", Verb::reload},     VerbWord{"stop", Verb::stop},
    VerbWord{"scale", Verb::scale},     VerbWord{"rollback", Verb::rollback}, VerbWord{"undo", Verb::undo},
    VerbWord{"pause", Verb::pause},     VerbWord{"resume", Verb::resume},     VerbWord{"status", Verb::status},
    VerbWord{"history", Verb::history}, VerbWord{"why", Verb::why},           VerbWord{"logs", Verb::logs},
    VerbWord{"events", Verb::events},
};

UsageError usage(std::string_view command, const std::string& text) {
    return {(command.empty() ? std::string{} : std::string(command) + ": ") + text};
}

UsageError usage(std::string_view command, std::string_view option, const Error& problem) {
    return usage(command, "--" + std::string(option) + ": " + problem.text);
}

bool has(const Tokens& tokens, std::string_view option) {
    return std::ranges::find(tokens.options, option, &GivenOption::name) != tokens.options.end();
}

Command parse_run(const Words& arguments) {
    auto parsed = parse_configuration("run", arguments);
    if (auto* text = std::get_if<Text>(&parsed)) return std::move(*text);
    if (auto* wrong = std::get_if<UsageError>(&parsed)) return std::move(*wrong);
    return RunCommand{std::get<core::Configuration>(std::move(parsed)), arguments};
}

Command parse_check(const Words& arguments) {
    auto parsed = parse_configuration("check", arguments);
    if (auto* text = std::get_if<Text>(&parsed)) return std::move(*text);
    if (auto* wrong = std::get_if<UsageError>(&parsed)) return std::move(*wrong);
    return CheckCommand{std::get<core::Configuration>(std::move(parsed))};
}

// Whether the word has the form of a worker's name: "1.0", a generation and a slot.
bool is_worker(std::string_view word) {
    const std::size_t dot = word.find('.');
    if (dot == 0 || dot == word.npos || dot + 1 == word.size()) return false;
    const auto is_digit = [](char c) { return c >= '0' && c <= '9'; };
    return std::ranges::all_of(word.substr(0, dot), is_digit) && std::ranges::all_of(word.substr(dot + 1), is_digit);
}

Result<void> take_count(Words& words, ClientCommand& command) {
    if (words.empty()) return error("the number of workers is missing: write holdfast scale [NAME] N");
    const auto count = parse_count(words.back(), 0, core::max_workers);
    if (!count) return error("N: " + count.error().text);
    command.workers = static_cast<int>(*count);
    words.pop_back();
    return {};
}

Result<void> take_worker(Words& words, ClientCommand& command) {
    if (!words.empty() && is_worker(words.back())) {
        command.worker = words.back();
        words.pop_back();
        return {};
    }
    if (command.verb == Verb::logs) return {};
    return error(
        "the worker is missing: write holdfast why [NAME] WORKER, like holdfast why 1.0; holdfast status lists the "
        "workers");
}

Result<void> take_name(const Words& words, std::string& name) {
    if (words.size() > 1) return error("unexpected argument " + in_quotes(words[1]));
    if (words.empty()) return {};
    auto parsed = parse_name(words.front());
    if (!parsed) return parsed.error();
    name = *std::move(parsed);
    return {};
}

// Parses the arguments of `scale [NAME] N`, `why [NAME] WORKER`, `restart [NAME]`.
Result<void> take_words(Words words, ClientCommand& command) {
    Result<void> taken;
    if (command.verb == Verb::scale) taken = take_count(words, command);
    if (command.verb == Verb::why || command.verb == Verb::logs) taken = take_worker(words, command);
    return taken ? take_name(words, command.name) : taken;
}

Command parse_client(Verb verb, std::string_view word, const Words& arguments) {
    ClientCommand command;
    command.verb = verb;
    std::vector<OptionSpec> known{help_option};
    const auto rows = client_options_of(word);
    for (const ClientOption* option : rows) known.push_back(option->spec);
    const auto tokens = tokenize(arguments, known, planned_client_options());
    if (!tokens) return usage(word, tokens.error().text);
    if (has(*tokens, "help")) return Text{help_of(word)};
    for (const GivenOption& given : tokens->options) {
        const auto row =
            std::ranges::find(rows, given.name, [](const ClientOption* option) { return option->spec.name; });
        if (const auto done = (*row)->apply(given.value, command); !done) return usage(word, given.name, done.error());
    }
    if (const auto done = take_words(tokens->words, command); !done) return usage(word, done.error().text);
    return command;
}

Command parse_doctor(const Words& arguments) {
    std::vector<OptionSpec> known{help_option};
    for (const OptionSpec& option : doctor_options()) known.push_back(option);
    const auto tokens = tokenize(arguments, known, {});
    if (!tokens) return usage("doctor", tokens.error().text);
    if (has(*tokens, "help")) return Text{help_of("doctor")};
    DoctorCommand command;
    for (const GivenOption& given : tokens->options) {
        if (given.name == "json") command.format = Format::json;
        if (given.name == "runtime-dir") command.runtime_dir = given.value;
        if (given.name != "config") continue;
        auto configuration = parse_configuration_file(given.value);
        if (!configuration) return usage("doctor", configuration.error().text);
        command.configuration = *std::move(configuration);
    }
    if (const auto done = take_name(tokens->words, command.name); !done) return usage("doctor", done.error().text);
    return command;
}

Command unknown_command(const std::string& word) {
    std::vector<std::string_view> commands(planned_commands().begin(), planned_commands().end());
    if (std::ranges::find(commands, word) != commands.end()) {
        return usage({}, in_quotes(word) + " is not part of this version");
    }
    if (word == "start" || word == "up") return usage({}, "there is no command " + in_quotes(word) + ": use run");
    std::vector<std::string_view> present{"--help", "--version"};
    const std::string_view kind = word.starts_with('-') ? "option " : "command ";
    if (!word.starts_with('-')) present.clear();
    for (const CommandRow& row : command_table()) present.push_back(row.name);
    const std::string meant = hint(word, present);
    return usage({}, "there is no " + std::string(kind) + in_quotes(word) +
                         (meant.empty() ? ": expected " : meant + " Expected ") + join(present));
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
    if (word == "check") return parse_check(rest);
    if (word == "doctor") return parse_doctor(rest);
    if (word == "help" || word == "--help" || word == "-h") return parse_help(rest);
    if (word == "version" || word == "--version" || word == "-V") return Text{version_text()};
    const auto verb = std::ranges::find(verbs, word, &VerbWord::word);
    return verb == verbs.end() ? unknown_command(word) : parse_client(verb->verb, word, rest);
}

Result<core::Configuration> reread(const RunCommand& command) {
    auto parsed = parse_configuration("run", command.arguments);
    if (auto* configuration = std::get_if<core::Configuration>(&parsed)) return std::move(*configuration);
    const auto* wrong = std::get_if<UsageError>(&parsed);
    return error(wrong != nullptr ? wrong->text : "cannot parse the arguments of run again");
}

}  // namespace holdfast::cli
