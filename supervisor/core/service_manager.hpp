#pragma once

#include <optional>

#include "core/step_context.hpp"

namespace holdfast::core {

// What the service manager above us is told.

// STATUS=, when the sentence has changed.
void report_status(StepContext& context);

// While everything ends: until when it must wait for us. Said again when the end has moved, and while drains make
// progress, once a second at most.
void extend_stop_timeout(StepContext& context);

// When extend_stop_timeout() has something to say that could not be said yet.
std::optional<Instant> extends_stop_timeout_at(const State& state);

}  // namespace holdfast::core
