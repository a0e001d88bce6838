#pragma once

#include <optional>

#include "core/request.hpp"

namespace holdfast::core {

// Returns the request for a signal to the supervisor, with `asked_by` empty; nullopt for other signals. SIGHUP here
// does not include the hangup of the controlling terminal, which means stop.
std::optional<Request> request_for(int signal);

}  // namespace holdfast::core
