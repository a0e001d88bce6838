#pragma once

#include <string>
#include <vector>

#include "base/address.hpp"

namespace holdfast::os {

struct SocketHolder {
    int pid = 0;
    std::string command;  // as in /proc/PID/comm
};

// Who has a socket listening at this address, as far as /proc lets us see (other users' processes only as root). A
// snapshot for words and for comparing with worker records, never a reason to signal anybody.
std::vector<SocketHolder> find_holders(const ListenAddress& address);

// "nginx (pid 812), python3 (pid 90)"; at most four, then "and 3 more". Empty for none.
std::string describe(const std::vector<SocketHolder>& holders);

}  // namespace holdfast::os
