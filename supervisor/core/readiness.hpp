#pragma once

#include <optional>

#include "core/step_context.hpp"

namespace holdfast::core {

// When time stands in for a worker's word: `alive:DURATION`, and `auto` where no worker of the service ever spoke.
// Nothing for a worker that must say READY=1 itself.
std::optional<Instant> ready_by_time(const State& state, const Worker& worker);

// When a ready worker will have been ready for `settle`; nothing once it has, or while nobody knows yet whether it
// holds its listeners.
std::optional<Instant> settles_at(const State& state, const Worker& worker);

void settle_if_due(StepContext& context, Worker& worker);

// Draws what follows from the time that has passed.
void apply_elapsed_time(StepContext& context, Worker& worker);

}  // namespace holdfast::core
