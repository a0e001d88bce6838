#pragma once

#include <string_view>

namespace holdfast::os {

// Writes all of it, waiting as long as the reader takes, also where somebody made the descriptor non-blocking. Gives up
// silently when the reader is gone: there is nobody left to tell.
void write_all(int fd, std::string_view bytes);

}  // namespace holdfast::os
