#pragma once

#include <optional>

#include "core/step_context.hpp"

namespace holdfast::core {

// Notifications for the service manager (sd_notify).

// Sends STATUS= if the sentence has changed.
void report_status(StepContext& context);

// During a stop, sends EXTEND_TIMEOUT_USEC= with the time until the latest possible end: when that has moved, and while
// workers make progress. At most once a second.
void extend_stop_timeout(StepContext& context);

// The time at which extend_stop_timeout() is due again; nullopt if it has nothing to send.
std::optional<Instant> extends_stop_timeout_at(const State& state);

}  // namespace holdfast::core
