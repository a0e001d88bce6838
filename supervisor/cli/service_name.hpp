#pragma once

#include <string>
#include <vector>

#include "base/result.hpp"

namespace holdfast::cli {

// The name that a service has without --name: the base name of its command; behind an interpreter, a shell or env(1)
// that of the script or module. An error where nothing in the command is a name, as in `sh -c 'a; b'`.
Result<std::string> default_name(const std::vector<std::string>& command);

}  // namespace holdfast::cli
