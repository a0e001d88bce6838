#pragma once

#include <iosfwd>
#include <span>
#include <string_view>

#include "cli/options.hpp"
#include "cli/screen.hpp"

namespace holdfast::cli {

// A command of the program. Help, the parser and the test of the manual use this table.
struct CommandRow {
    std::string_view name;
    std::string_view arguments;  // "[NAME] N"
    std::string_view summary;
};
std::span<const CommandRow> command_table();

// Executes a command that talks to a running supervisor and prints the result. Blocks until the outcome is known.
// Returns the exit status (exit_codes.hpp); for a stop it is that of `holdfast run`.
int run_client(const ClientCommand& command, std::ostream& out, std::ostream& err, const Screen& screen = {});

}  // namespace holdfast::cli
