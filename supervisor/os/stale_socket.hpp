#pragma once

#include <string>

#include "base/result.hpp"

namespace holdfast::os {

// Removes the name of a unix socket that nobody listens on any more, so that it can be bound again. No such name is
// fine. A live server there, and anything that is no socket, is left alone and refused (EADDRINUSE; with the holder's
// pid where it can be seen). Between looking and unlinking only the service's lock keeps others away.
Result<void> remove_stale_socket(const std::string& path);

}  // namespace holdfast::os
