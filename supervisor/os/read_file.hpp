#pragma once

#include <cstddef>
#include <string>

#include "base/result.hpp"

namespace holdfast::os {

// Reads a whole file, also in /proc (where the size is reported as 0). EFBIG beyond `limit` bytes. The text of an error
// is "cannot read PATH: …".
Result<std::string> read_file(const std::string& path, std::size_t limit);

}  // namespace holdfast::os
