#pragma once

#include <iosfwd>

#include "api/client/client.hpp"
#include "cli/options.hpp"
#include "cli/screen.hpp"

namespace holdfast::cli {

// Requests a change and waits for its outcome. Shows the progress on `err`: a live block on a terminal, else a line for
// each event (nothing with --json). SIGINT ends the wait, not the change; the error says how to revert the change.
Result<api::ChangeOutcome> change_and_wait(const ClientCommand& command, const api::Service& service,
                                           const api::ChangeRequest& request, std::ostream& err, const Screen& screen);

// Shows the status after each event, and every second during a change, until the supervisor ends.
Result<void> watch_status(const ClientCommand& command, const api::Service& service, std::ostream& out,
                          const Screen& screen);

}  // namespace holdfast::cli
