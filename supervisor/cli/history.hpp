#pragma once

#include <string>
#include <vector>

#include "base/result.hpp"

namespace holdfast::cli {

// Reads the lines of the history in a state directory, those of history.jsonl.1 first, oldest first. Works without a
// running supervisor. Incomplete lines are skipped.
Result<std::vector<std::string>> read_history(const std::string& state_dir);

// A table with one row for each generation, the newest last: start, program, time until it was ready, number of killed
// workers, outcome, requester. Invalid lines are skipped.
std::string render_history(const std::vector<std::string>& lines);

}  // namespace holdfast::cli
