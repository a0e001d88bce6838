#pragma once

#include <string>
#include <variant>
#include <vector>

#include "api/client.hpp"
#include "core/configuration.hpp"

namespace holdfast::cli {

struct RunCommand {
    core::Configuration configuration;
};

enum class Verb { restart, stop, status, scale };
enum class Format { text, json };

// A question to a running supervisor.
struct ClientCommand {
    Verb verb = Verb::status;
    std::string name;         // of the service; empty: the one that this user runs
    std::string runtime_dir;  // empty: looked for as the manual says
    int workers = 0;          // scale
    api::Wait wait = api::Wait::for_outcome;
    Format format = Format::text;
};

// Words for standard output and exit status 0: help, version.
struct Text {
    std::string text;
};

// Wrong usage, for standard error and exit status 2: what is wrong, what would be taken, the nearest right spelling.
struct UsageError {
    std::string text;
};

using Command = std::variant<RunCommand, ClientCommand, Text, UsageError>;

// Understands the arguments that follow the program's name. Touches nothing: no file, no environment; only
// `--workers auto` counts the processors.
Command parse(const std::vector<std::string>& arguments);

}  // namespace holdfast::cli
