#pragma once

#include <string>
#include <vector>

#include "core/describe/doctor.hpp"

namespace holdfast::cli {

// One line for each finding, with its remedy on the line below.
std::string render_findings(const std::vector<core::Finding>& findings);
// A JSON array of {"weight", "text", "remedy"}, on one line.
std::string findings_to_json(const std::vector<core::Finding>& findings);
// 1 if any finding is of severity `wrong`, else 0.
int exit_code_of(const std::vector<core::Finding>& findings);

}  // namespace holdfast::cli
