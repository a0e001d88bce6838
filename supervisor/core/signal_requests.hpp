#pragma once

#include <optional>

#include "core/request.hpp"

namespace holdfast::core {

// What a signal to the supervisor asks for; nothing for a signal that asks for nothing. `asked_by` is left to the
// caller, who knows the sender. A hang-up of the controlling terminal is not this SIGHUP: it means stop.
std::optional<Request> request_for(int signal);

}  // namespace holdfast::core
