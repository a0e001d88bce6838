#pragma once

#include <optional>
#include <string>
#include <vector>

#include "base/address.hpp"
#include "base/result.hpp"
#include "os/socket_holder.hpp"

namespace holdfast::os {

// Why an address cannot be had, and by whom it is held where that is why.
struct BindProblem {
    std::string text;
    std::vector<SocketHolder> holders;
};

// Whether `run` could listen at this address now. Nothing is left behind, and nobody can connect meanwhile: a TCP port
// is bound for a moment and never listened on, of a unix path only its folder and who answers are looked at.
std::optional<BindProblem> find_bind_problem(const ListenAddress& address);

}  // namespace holdfast::os
