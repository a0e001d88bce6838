#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.hpp"
#include "cli/options.hpp"

namespace holdfast::cli {

// An option in words. Help, the manual's test and the error messages read the same rows.
struct OptionSpec {
    std::string_view name;           // without the dashes
    std::string_view argument;       // "DURATION"; empty: a switch
    std::string_view default_value;  // what holds without it, as one would write it; empty: nothing
    std::string_view summary;
};

enum class Repeat { no, yes };

// What `run` has been told so far.
struct RunDraft {
    core::Configuration configuration;
    std::string probe;  // tcp: or http: of --ready-when, judged when every listener is known
};

// The errors of `apply` speak of the value alone; the parser puts the option's name before them.
struct RunOption {
    OptionSpec spec;
    Result<void> (*apply)(std::string_view value, RunDraft& draft);
    Repeat repeat = Repeat::no;
};
std::span<const RunOption> run_options();

struct ClientOption {
    OptionSpec spec;
    Result<void> (*apply)(std::string_view value, ClientCommand& command);
    std::string_view verbs;  // the commands that take it, "restart stop"
};
std::span<const ClientOption> client_options();
std::vector<const ClientOption*> client_options_of(std::string_view verb);

// `doctor` asks the machine, and perhaps a supervisor.
std::span<const OptionSpec> doctor_options();

// Options and commands of the whole design that this version lacks: named, so that nobody looks for a misspelling.
std::span<const std::string_view> planned_run_options();
std::span<const std::string_view> planned_client_options();
std::span<const std::string_view> planned_commands();

// The first thing that is wrong with the options together; nothing if they can be run.
Result<void> validate_options(const RunDraft& draft);

}  // namespace holdfast::cli
