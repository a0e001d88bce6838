#pragma once

#include <string>
#include <vector>

#include "base/result.hpp"

namespace holdfast::cli {

// The name of a service without --name: the base name of its command or, if that is an interpreter, a shell or env(1),
// of the script or module that it runs. An error if the command contains no usable name, as in `sh -c 'a; b'`.
Result<std::string> default_name(const std::vector<std::string>& command);

}  // namespace holdfast::cli
