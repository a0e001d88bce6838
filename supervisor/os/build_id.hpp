#pragma once

#include <string>

namespace holdfast::os {

// The GNU build-id in an ELF file's notes, in hexadecimal digits: two programs of the same one were linked from the
// same parts. Empty for files that have none, scripts among them, and for files that only look like ELF: whatever the
// file claims, a bounded part of it is read. `file_fd` is open for reading.
std::string read_build_id(int file_fd);

}  // namespace holdfast::os
