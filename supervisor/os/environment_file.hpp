#pragma once

#include <optional>
#include <string>

#include "os/environment.hpp"
#include "os/launch_spec.hpp"

namespace holdfast::os {

// Adds the entries of a file. Lines have the form KEY=VALUE and are taken literally (no quotes, no expansion). Blank
// lines and lines that begin with '#' are comments. A failure names the file and the line.
std::optional<LaunchFailure> add_environment_file(const std::string& path, Environment& environment);

}  // namespace holdfast::os
