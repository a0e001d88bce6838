#pragma once

#include <iosfwd>

#include "api/client.hpp"
#include "cli/options.hpp"
#include "cli/screen.hpp"

namespace holdfast::cli {

// Asks for a change and waits for its outcome. Meanwhile, on `err`: a live block where that is a terminal, else a line
// an event. At ^C the change goes on and the error says how to take it back.
Result<api::Answer> wait_for(const ClientCommand& command, const api::Service& service, const api::Wish& wish,
                             std::ostream& err, const Screen& screen);

// Shows the status whenever something happens, and every second while something moves, until the supervisor ends.
Result<void> watch(const ClientCommand& command, const api::Service& service, std::ostream& out, const Screen& screen);

}  // namespace holdfast::cli
