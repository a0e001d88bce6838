#pragma once

#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "api/client/client.hpp"
#include "base/result.hpp"
#include "core/configuration.hpp"

namespace holdfast::cli {

struct RunCommand {
    core::Configuration configuration;
    std::vector<std::string> arguments;  // after the word `run`; for reread()
};

// Checks a configuration without starting anything.
struct CheckCommand {
    core::Configuration configuration;
};

enum class Format { text, json };

// Examines this machine, for the configuration in a file or for a running supervisor.
struct DoctorCommand {
    std::optional<core::Configuration> configuration;
    std::string name, runtime_dir;  // as in ClientCommand
    Format format = Format::text;
};

enum class Verb { restart, reload, stop, scale, rollback, undo, pause, resume, status, history, why, logs, events };
enum class Watch { once, on };
enum class DryRun { no, yes };

// A command to a running supervisor.
struct ClientCommand {
    Verb verb = Verb::status;
    std::string name;         // of the service; empty: the only one that this user runs
    std::string runtime_dir;  // empty: searched for as described in holdfast(1), FILES
    std::string state_dir;    // history: read the file here instead of asking a supervisor
    int workers = 0;          // scale
    std::string worker;       // why, logs: "1.0"
    api::Wait wait = api::Wait::for_outcome;
    Format format = Format::text;
    Watch watch = Watch::once;    // status
    DryRun dry_run = DryRun::no;  // reload
};

// Text for standard output, with exit status 0: help or version.
struct Text {
    std::string text;
};

// A message for standard error, with exit status 2: what is wrong, what is accepted, and the nearest correct spelling.
struct UsageError {
    std::string text;
};

using Command = std::variant<RunCommand, CheckCommand, DoctorCommand, ClientCommand, Text, UsageError>;

// Parses the arguments that follow the program's name. Reads no environment variables and no files except that of
// --config; `--workers auto` counts the processors.
Command parse(const std::vector<std::string>& arguments);

// Parses the arguments of `run` again, with the current content of the --config file. For a reload.
Result<core::Configuration> reread(const RunCommand& command);

}  // namespace holdfast::cli
