#pragma once

#include <string>
#include <string_view>

#include "base/result.hpp"

namespace holdfast::os {

// The kernel's words for an errno: "No such file or directory". Safe in every thread.
std::string errno_text(int error_number);

// "cannot <what>: <the kernel's words>". The one place where errno becomes an Error.
Error errno_error(std::string_view what, int error_number);
// The same for the present errno.
Error errno_error(std::string_view what);

}  // namespace holdfast::os
