#pragma once

#include <iosfwd>

#include "cli/options.hpp"

// The commands that look at this machine and start nothing; cli/ itself makes no system calls.
namespace holdfast {

// `holdfast check`, `holdfast doctor`. They return the exit status: 1 where something is wrong.
int check(const cli::CheckCommand& command, std::ostream& out);
int run_doctor(const cli::DoctorCommand& command, std::ostream& out, std::ostream& err);

}  // namespace holdfast
