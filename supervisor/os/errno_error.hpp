#pragma once

#include <string>
#include <string_view>

#include "base/result.hpp"

namespace holdfast::os {

// The text of an errno, such as "No such file or directory". Thread-safe.
std::string errno_text(int error_number);

// "cannot <what>: <text of the errno>". The only place where an errno becomes an Error.
Error errno_error(std::string_view what, int error_number);
// The same for the current errno.
Error errno_error(std::string_view what);

}  // namespace holdfast::os
