#pragma once

#include <cstddef>
#include <string>

#include "base/result.hpp"

namespace holdfast::os {

// The whole of a file, /proc's too (which say they are empty). EFBIG beyond `limit` bytes.
// The error's text is "cannot read PATH: …".
Result<std::string> read_file(const std::string& path, std::size_t limit);

}  // namespace holdfast::os
