#pragma once

#include <string_view>

namespace holdfast {

// Writes to stderr without blocking and without a signal: what a full pipe, a stopped terminal or a closed reader does
// not take at once is dropped. A worker that waited for the reader of its messages could not keep its deadlines.
void write_to_stderr(std::string_view text);

}  // namespace holdfast
