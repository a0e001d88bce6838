#pragma once

#include <optional>
#include <string>

#include "core/event.hpp"
#include "core/step_context.hpp"

namespace holdfast::core {

// --ready-when tcp: or http: while a worker starts it is asked until an answer is good; while the rollout of its
// generation is under way it is asked on, for one that answers no more makes it fail. One question at a time.

// Asks who is due.
void send_probes(StepContext& context);

void on_probe_answered(StepContext& context, const ProbeAnswered& event);

// When the worker is asked next; nothing while its answer is awaited, or where nobody asks.
std::optional<Instant> probes_at(const State& state, const Worker& worker);

// ": the last probe said HTTP 500"; empty where none has failed.
std::string probe_failure_text(const Worker& worker);

}  // namespace holdfast::core
