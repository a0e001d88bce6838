#pragma once

#include <iosfwd>

#include "cli/options.hpp"

// Commands that inspect this machine and start nothing. They are not in cli/, which makes no system calls.
namespace holdfast {

// `holdfast check` and `holdfast doctor`. They return the exit status: 1 if a problem was found.
int check(const cli::CheckCommand& command, std::ostream& out);
int run_doctor(const cli::DoctorCommand& command, std::ostream& out, std::ostream& err);

}  // namespace holdfast
