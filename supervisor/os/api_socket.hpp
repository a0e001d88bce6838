#pragma once

#include "base/result.hpp"
#include "os/runtime_directory.hpp"
#include "os/unique_fd.hpp"

namespace holdfast::os {

// The listening socket of the operators' API: `api.sock` in the runtime directory, mode 0600, non-blocking,
// close-on-exec. What a dead supervisor left there is replaced: the lock is ours.
Result<UniqueFd> open_api_socket(const RuntimeDirectory& directory);

// At the end, before RuntimeDirectory::remove.
void remove_api_socket(const RuntimeDirectory& directory);

}  // namespace holdfast::os
