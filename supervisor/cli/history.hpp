#pragma once

#include <string>
#include <vector>

#include "base/result.hpp"

namespace holdfast::cli {

// The lines of the history in a state directory, with those of the file before it, oldest first, whoever runs. What is
// torn is left out.
Result<std::vector<std::string>> read_history(const std::string& state_dir);

// One row a generation, the newest last: when, who asked, what ran, how soon it was ready, how it ended, who was
// killed. Lines that are none are passed over.
std::string render_history(const std::vector<std::string>& lines);

}  // namespace holdfast::cli
