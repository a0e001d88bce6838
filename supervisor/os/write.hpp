#pragma once

#include <string_view>

namespace holdfast::os {

// Writes all bytes and waits for the reader as long as necessary, even if the descriptor is non-blocking. Stops
// silently when the reader has closed its end.
void write_all(int fd, std::string_view bytes);

}  // namespace holdfast::os
