#pragma once

#include <string>

namespace holdfast::os {

// Reads the GNU build-id from the notes of an ELF file, as hexadecimal digits. Equal build-ids mean that two programs
// were linked from the same input. Empty for files without a build-id, such as scripts, and for malformed ELF files.
// The amount of data that is read is bounded, whatever the file contains. `file_fd` must be open for reading.
std::string read_build_id(int file_fd);

}  // namespace holdfast::os
