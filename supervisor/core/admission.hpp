#pragma once

#include <optional>

#include "core/step_context.hpp"

namespace holdfast::core {

// Invariant 1: once no worker accepts any more and none will come, new clients are refused at once; also where nobody
// has served for `queue_for`, and no worker lives that may accept. They are let in again before a worker is launched
// (roster.cpp).
void refuse_clients_if_unserved(StepContext& context);

// The same for listeners that are to be closed, because the generation that stays does not have them: they are refused
// once nobody of another spec accepts, and not only when the last of those has ended.
void refuse_on_removed_listeners_if_unserved(StepContext& context);

// Before anybody of another spec is launched or told to run.
void accept_on_removed_listeners(StepContext& context);

// When clients will have waited for long enough; nothing while somebody may accept them.
std::optional<Instant> refuse_clients_at(const State& state);

}  // namespace holdfast::core
