#pragma once

namespace holdfast::detail {

/// Writes the exception that is being handled to stderr: "closing a connection: its handler threw: ...". Never blocks.
void log_handler_failure() noexcept;

}  // namespace holdfast::detail
