#pragma once

#include "base/result.hpp"
#include "os/runtime_directory.hpp"
#include "os/unique_fd.hpp"

namespace holdfast::os {

// Opens the listening socket of the operators' API: `api.sock` in the runtime directory, mode 0600, non-blocking,
// close-on-exec. Replaces the socket file of a dead supervisor; this is safe because the caller holds the lock of the
// directory.
Result<UniqueFd> open_api_socket(const RuntimeDirectory& directory);

// Call before RuntimeDirectory::remove.
void remove_api_socket(const RuntimeDirectory& directory);

}  // namespace holdfast::os
