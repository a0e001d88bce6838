#pragma once

#include <cstdint>
#include <iosfwd>
#include <string>

namespace holdfast::simulator {

// What can happen must be met, what cannot must not be.
enum class Expected { yes, no };

// One line of a table; 1 if it is not as expected. What cannot be, and was not met, has no line.
int print_line(std::ostream& out, const std::string& name, std::uint64_t count, Expected expected);

}  // namespace holdfast::simulator
