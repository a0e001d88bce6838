#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.hpp"
#include "cli/options.hpp"

namespace holdfast::cli {

// Description of an option. Help, the error messages and the test of the manual use it.
struct OptionSpec {
    std::string_view name;           // without the dashes
    std::string_view argument;       // "DURATION"; empty: a switch
    std::string_view default_value;  // as it would be written on the command line; empty: none
    std::string_view summary;
};

enum class Repeat { no, yes };

// The configuration of `run` while its options are being parsed.
struct RunDraft {
    core::Configuration configuration;
    std::string probe;  // tcp: or http: of --ready-when; validated when all listeners are known
};

// An error of `apply` describes the value; the parser prepends the name of the option.
struct RunOption {
    OptionSpec spec;
    Result<void> (*apply)(std::string_view value, RunDraft& draft);
    Repeat repeat = Repeat::no;
};
std::span<const RunOption> run_options();

struct ClientOption {
    OptionSpec spec;
    Result<void> (*apply)(std::string_view value, ClientCommand& command);
    std::string_view verbs;  // commands that accept it, separated by blanks: "restart stop"
};
std::span<const ClientOption> client_options();
std::vector<const ClientOption*> client_options_of(std::string_view verb);

// The options of `doctor`.
std::span<const OptionSpec> doctor_options();

// Options and commands that are planned but not part of this version. They have an error message of their own, so that
// they are not taken for misspellings.
std::span<const std::string_view> planned_run_options();
std::span<const std::string_view> planned_client_options();
std::span<const std::string_view> planned_commands();

// Checks the options against each other. Returns the first conflict.
Result<void> validate_options(const RunDraft& draft);

}  // namespace holdfast::cli
