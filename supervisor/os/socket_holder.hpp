#pragma once

#include <string>
#include <vector>

#include "base/address.hpp"

namespace holdfast::os {

struct SocketHolder {
    int pid = 0;
    std::string command;  // from /proc/PID/comm
};

// The processes that have a socket listening on this address, as far as /proc shows them (processes of other users only
// to root). A snapshot for messages and for comparison with worker records; never send a signal because of it.
std::vector<SocketHolder> find_holders(const ListenAddress& address);

// "nginx (pid 812), python3 (pid 90)"; at most four, then "and 3 more". Empty for an empty list.
std::string describe(const std::vector<SocketHolder>& holders);

}  // namespace holdfast::os
