#include "cli/tokens.hpp"

#include <algorithm>
#include <boost/program_options/errors.hpp>
#include <boost/program_options/options_description.hpp>
#include <boost/program_options/parsers.hpp>

#include "base/parse.hpp"

namespace holdfast::cli {

namespace program_options = boost::program_options;

namespace {

program_options::options_description describe(const std::vector<OptionSpec>& known) {
    program_options::options_description description;
    for (const OptionSpec& option : known) {
        const std::string name(option.name);
        option.argument.empty() ? description.add_options()(name.c_str(), "")
                                : description.add_options()(name.c_str(), program_options::value<std::string>(), "");
    }
    return description;
}

std::string takes(const OptionSpec& option) {
    return "--" + std::string(option.name) + (option.argument.empty() ? "" : " " + std::string(option.argument));
}

Error unknown_option(const std::string& given, const std::vector<OptionSpec>& known,
                     std::span<const std::string_view> planned) {
    const std::string name = given.substr(std::min(given.find_first_not_of('-'), given.size()));
    if (std::ranges::find(planned, name) != planned.end()) return error("--" + name + " is not part of this version");
    std::vector<std::string_view> candidates(planned.begin(), planned.end());
    for (const OptionSpec& option : known) candidates.push_back(option.name);
    const auto meant = nearest(name, candidates);
    if (!meant) return error("there is no option " + given + "; --help lists them");
    const auto option = std::ranges::find(known, *meant, &OptionSpec::name);
    if (option == known.end()) {
        return error("there is no option " + given + "; --" + std::string(*meant) + " is not part of this version");
    }
    return error("there is no option " + given + ", did you mean " + takes(*option) + "?");
}

Error broken_option(const program_options::error_with_option_name& problem, const std::vector<OptionSpec>& known) {
    const auto option = std::ranges::find(known, problem.get_option_name().substr(2), &OptionSpec::name);
    if (option == known.end()) return error(problem.what());
    if (option->argument.empty()) return error(takes(*option) + " takes no value");
    return error("a value is missing: " + takes(*option));
}

}  // namespace

Result<Tokens> tokenize(const std::vector<std::string>& arguments, const std::vector<OptionSpec>& known,
                        std::span<const std::string_view> planned) {
    using program_options::command_line_style::style_t;
    constexpr int style = style_t::allow_long | style_t::long_allow_adjacent | style_t::long_allow_next;
    Tokens tokens;
    const auto description = describe(known);
    try {
        const auto parsed = program_options::command_line_parser(arguments).options(description).style(style).run();
        for (const auto& option : parsed.options) {
            if (option.position_key >= 0) {
                const std::string& word = option.value.front();
                if (word.size() > 1 && word.starts_with('-')) return unknown_option(word, known, planned);
                tokens.words.push_back(word);
                continue;
            }
            const std::string value = option.value.empty() ? std::string{} : option.value.front();
            // Program_options took the next option for the value.
            if (option.original_tokens.size() > 1 && value.starts_with("--")) {
                const auto row = std::ranges::find(known, option.string_key, &OptionSpec::name);
                return error("a value is missing: " + takes(*row));
            }
            tokens.options.push_back({option.string_key, value});
        }
    } catch (const program_options::unknown_option& problem) {
        return unknown_option(problem.get_option_name(), known, planned);
    } catch (const program_options::error_with_option_name& problem) {
        return broken_option(problem, known);
    }
    return tokens;
}

}  // namespace holdfast::cli
