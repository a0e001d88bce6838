#pragma once

#include <string>

#include "base/result.hpp"

namespace holdfast::os {

// Removes the file of a unix socket on which no process listens any more, so that the path can be bound again. Succeeds
// if the path does not exist. Fails with EADDRINUSE, and changes nothing, if a server is listening there (the error
// names its pid if that is visible) or if the file is not a socket. Only the lock of the service prevents another
// process from binding the path between the check and the unlink.
Result<void> remove_stale_socket(const std::string& path);

}  // namespace holdfast::os
