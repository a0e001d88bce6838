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
    std::vector<std::string> arguments;  // behind the word `run`, for reread()
};

// Is this configuration sound? Nothing is started.
struct CheckCommand {
    core::Configuration configuration;
};

enum class Format { text, json };

// What this machine offers, for the configuration of a file or for a supervisor that runs.
struct DoctorCommand {
    std::optional<core::Configuration> configuration;
    std::string name, runtime_dir;  // as ClientCommand has them
    Format format = Format::text;
};

enum class Verb { restart, reload, stop, scale, rollback, undo, pause, resume, status, history, why, logs, events };
enum class Watch { once, on };
enum class DryRun { no, yes };

// A question to a running supervisor.
struct ClientCommand {
    Verb verb = Verb::status;
    std::string name;         // of the service; empty: the one that this user runs
    std::string runtime_dir;  // empty: looked for as the manual says
    std::string state_dir;    // history: where the history lies, whoever runs
    int workers = 0;          // scale
    std::string worker;       // why, logs: "1.0"
    api::Wait wait = api::Wait::for_outcome;
    Format format = Format::text;
    Watch watch = Watch::once;    // status
    DryRun dry_run = DryRun::no;  // reload
};

// Words for standard output and exit status 0: help, version.
struct Text {
    std::string text;
};

// Wrong usage, for standard error and exit status 2: what is wrong, what would be taken, the nearest right spelling.
struct UsageError {
    std::string text;
};

using Command = std::variant<RunCommand, CheckCommand, DoctorCommand, ClientCommand, Text, UsageError>;

// Understands the arguments that follow the program's name. Touches nothing but the file of --config: no environment;
// only `--workers auto` counts the processors.
Command parse(const std::vector<std::string>& arguments);

// The same arguments of `run` again, with the file as it is now: for a reload.
Result<core::Configuration> reread(const RunCommand& command);

}  // namespace holdfast::cli
