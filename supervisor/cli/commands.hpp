#pragma once

#include <iosfwd>
#include <span>
#include <string_view>

#include "cli/options.hpp"
#include "cli/screen.hpp"

namespace holdfast::cli {

// A command of the program: help, the manual's test and the parser read the same rows.
struct CommandRow {
    std::string_view name;
    std::string_view arguments;  // "[NAME] N"
    std::string_view summary;
};
std::span<const CommandRow> command_table();

// Asks a running supervisor and prints its answer. Returns the exit status: see exit_codes.hpp; a stop returns what
// `holdfast run` returns. Blocks until the outcome is known.
int run_client(const ClientCommand& command, std::ostream& out, std::ostream& err, const Screen& screen = {});

}  // namespace holdfast::cli
