#pragma once

#include <string>
#include <vector>

#include "base/result.hpp"
#include "os/unique_fd.hpp"

namespace holdfast::os {

struct PassedSocket {
    UniqueFd fd;
    std::string name;  // of LISTEN_FDNAMES; empty where it gave none
};

// Takes the sockets that a service manager passed to this process (sd_listen_fds(3)): LISTEN_PID must be our pid. They
// become close-on-exec, and the variables are unset, so that they are taken once. Nothing passed: an empty list; passed
// wrongly (a number that is none, a descriptor that is closed): an error. To be called while there is one thread.
Result<std::vector<PassedSocket>> take_passed_sockets();

}  // namespace holdfast::os
