#pragma once

#include "base/result.hpp"
#include "os/socket_address.hpp"
#include "os/unique_fd.hpp"

namespace holdfast::os {

// A stream socket that is on its way to `socket_address`, non-blocking and close-on-exec: writable once that is
// decided. The error's code is the errno where it is decided already, EAGAIN among them: a unix listener whose queue is
// full.
Result<UniqueFd> begin_connect(const SocketAddress& socket_address);

// How it ended: 0, or an errno. A port that nobody listens at can connect to itself, where the kernel gives the client
// that very port: ECONNREFUSED, as it would have been with any other.
int connect_outcome(int socket_fd);

}  // namespace holdfast::os
