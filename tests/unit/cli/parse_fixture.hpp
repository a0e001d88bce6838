#pragma once

#include <gtest/gtest.h>

#include <algorithm>
#include <string>
#include <vector>

#include "cli/options.hpp"

namespace holdfast::cli {

using Arguments = std::vector<std::string>;

// Splits a command line at blanks; quotes are not supported.
inline Arguments words(const std::string& line) {
    Arguments arguments;
    std::size_t from = 0;
    while ((from = line.find_first_not_of(' ', from)) != std::string::npos) {
        const std::size_t to = std::min(line.find(' ', from), line.size());
        arguments.push_back(line.substr(from, to - from));
        from = to;
    }
    return arguments;
}

// The text of the usage error; "accepted" if there was none.
inline std::string refusal_of(const Arguments& arguments) {
    const Command command = parse(arguments);
    const auto* wrong = std::get_if<UsageError>(&command);
    return wrong == nullptr ? "accepted" : wrong->text;
}
inline std::string refusal_of(const std::string& line) { return refusal_of(words(line)); }

// The configuration that `run` parses from these arguments; fails the test if they are rejected.
inline core::Configuration run_with(const Arguments& arguments) {
    Command command = parse(arguments);
    auto* run = std::get_if<RunCommand>(&command);
    if (run != nullptr) return run->configuration;
    ADD_FAILURE() << refusal_of(arguments);
    return {};
}
inline core::Configuration run_with(const std::string& options) {
    return run_with(words("run " + options + " -- ./srv"));
}

inline std::string text_of(const std::string& line) {
    const Command command = parse(words(line));
    const auto* text = std::get_if<Text>(&command);
    return text == nullptr ? refusal_of(line) : text->text;
}

}  // namespace holdfast::cli
