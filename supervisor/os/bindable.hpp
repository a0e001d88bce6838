#pragma once

#include <optional>
#include <string>
#include <vector>

#include "base/address.hpp"
#include "base/result.hpp"
#include "os/socket_holder.hpp"

namespace holdfast::os {

// Why an address cannot be bound; with EADDRINUSE also the processes that use it.
struct BindProblem {
    std::string text;
    std::vector<SocketHolder> holders;
};

// Checks whether `run` could listen on this address now. Leaves nothing behind, and no client can connect during the
// check: a TCP port is bound for a moment but never listened on; for a unix path only the directory and the process
// that accepts on it are checked.
std::optional<BindProblem> find_bind_problem(const ListenAddress& address);

}  // namespace holdfast::os
