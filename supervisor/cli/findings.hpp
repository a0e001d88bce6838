#pragma once

#include <string>
#include <vector>

#include "core/describe/doctor.hpp"

namespace holdfast::cli {

// What was found, a line each, with the remedy below it.
std::string render_findings(const std::vector<core::Finding>& findings);
// An array of {"weight", "text", "remedy"}, on a line.
std::string findings_to_json(const std::vector<core::Finding>& findings);
// 1 where something is wrong, else 0.
int exit_code_of(const std::vector<core::Finding>& findings);

}  // namespace holdfast::cli
