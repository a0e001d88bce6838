#pragma once

#include <optional>
#include <string>

#include "core/event.hpp"
#include "core/step_context.hpp"

namespace holdfast::core {

// Probes of --ready-when tcp: and http:. A starting worker is probed until a probe succeeds. During the rollout of its
// generation the probes continue, and failing ones make the rollout fail. At most one probe per worker is outstanding.

// Sends the probes that are due.
void send_probes(StepContext& context);

void on_probe_answered(StepContext& context, const ProbeAnswered& event);

// The time of the worker's next probe; nullopt while a probe is outstanding, or if the worker is not probed.
std::optional<Instant> probes_at(const State& state, const Worker& worker);

// ": the last probe said HTTP 500"; empty if no probe has failed.
std::string probe_failure_text(const Worker& worker);

}  // namespace holdfast::core
