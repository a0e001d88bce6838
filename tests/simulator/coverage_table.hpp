#pragma once

#include <cstdint>
#include <iosfwd>
#include <string>

namespace holdfast::simulator {

// yes: the count must not be zero; no: the count must be zero.
enum class Expected { yes, no };

// Prints a line of a table. Returns 1 if the count is not as expected, otherwise 0. An expected zero is not printed.
int print_line(std::ostream& out, const std::string& name, std::uint64_t count, Expected expected);

}  // namespace holdfast::simulator
