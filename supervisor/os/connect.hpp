#pragma once

#include "base/result.hpp"
#include "os/socket_address.hpp"
#include "os/unique_fd.hpp"

namespace holdfast::os {

// Starts a connection to `socket_address`. The stream socket is non-blocking and close-on-exec; it becomes writable
// when the connection has succeeded or failed. Fails at once with the errno as code where the kernel reports one
// immediately, for example EAGAIN for a unix listener with a full queue.
Result<UniqueFd> begin_connect(const SocketAddress& socket_address);

// The result of the connection attempt: 0 or an errno. A client can connect to itself when the kernel assigns it the
// very port that it connects to and that has no listener; reported as ECONNREFUSED, as for any other source port.
int connect_outcome(int socket_fd);

}  // namespace holdfast::os
