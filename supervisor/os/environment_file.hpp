#pragma once

#include <optional>
#include <string>

#include "os/environment.hpp"
#include "os/launch_spec.hpp"

namespace holdfast::os {

// Adds the entries of a file: lines KEY=VALUE, taken literally (no quotes, no expansion); blank lines and lines that
// begin with '#' are comments. The failure names file and line.
std::optional<LaunchFailure> add_environment_file(const std::string& path, Environment& environment);

}  // namespace holdfast::os
