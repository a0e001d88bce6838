#pragma once

#include <iosfwd>

#include "api/client/client.hpp"
#include "cli/options.hpp"
#include "cli/screen.hpp"

namespace holdfast::cli {

// Asks for a change and waits for its outcome. Meanwhile, on `err`: a live block where that is a terminal, else a line
// an event. At ^C the change goes on and the error says how to take it back.
Result<api::ChangeOutcome> change_and_wait(const ClientCommand& command, const api::Service& service,
                                           const api::ChangeRequest& request, std::ostream& err, const Screen& screen);

// Shows the status whenever something happens, and every second while something moves, until the supervisor ends.
Result<void> watch_status(const ClientCommand& command, const api::Service& service, std::ostream& out,
                          const Screen& screen);

}  // namespace holdfast::cli
