#pragma once

#include <optional>

#include "core/step_context.hpp"

namespace holdfast::core {

// The time at which a starting worker counts as ready without READY=1: with `alive:DURATION`, and with `auto` if no
// worker of the service ever sent HELLO=1 or READY=1. nullopt for a worker that must become ready in another way.
std::optional<Instant> ready_by_time(const State& state, const Worker& worker);

// The time at which a worker will have been ready for `settle`; nullopt if it has settled or is not ready, or while the
// result of the listener check is outstanding.
std::optional<Instant> settles_at(const State& state, const Worker& worker);

void settle_if_due(StepContext& context, Worker& worker);

// Applies the transitions that depend only on elapsed time: ready, settled.
void apply_elapsed_time(StepContext& context, Worker& worker);

}  // namespace holdfast::core
