#pragma once

#include <string>
#include <vector>

#include "base/result.hpp"
#include "os/unique_fd.hpp"

namespace holdfast::os {

struct PassedSocket {
    UniqueFd fd;
    std::string name;  // from LISTEN_FDNAMES; empty if it is unnamed
};

// Takes the sockets that a service manager passed to this process (sd_listen_fds(3)); LISTEN_PID must be our pid. Makes
// them close-on-exec and unsets the variables, so that they are taken only once. Returns an empty list if nothing was
// passed, and an error if the variables are wrong (not a number, a closed descriptor). Call it while the process has
// one thread.
Result<std::vector<PassedSocket>> take_passed_sockets();

}  // namespace holdfast::os
