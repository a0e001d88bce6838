#pragma once

#include <cerrno>
#include <string>
#include <system_error>

namespace holdfast::test {

inline std::system_error errno_exception(const std::string& what) { return {errno, std::generic_category(), what}; }

}  // namespace holdfast::test
