#pragma once

#include <optional>

#include "core/step_context.hpp"

namespace holdfast::core {

// Invariant 1: refuses new connections once no worker accepts and none will start; also if no worker has served for
// `queue_for` and no running worker may accept. Connections are accepted again before the next launch (roster.cpp).
void refuse_clients_if_unserved(StepContext& context);

// The same for the listeners that will be closed because the remaining generation does not use them. Connections are
// refused as soon as no worker of another spec accepts, before the last of these workers is gone.
void refuse_on_removed_listeners_if_unserved(StepContext& context);

// Accepts connections on these listeners again. Called before a worker of another spec is launched or recalled.
void accept_on_removed_listeners(StepContext& context);

// The time at which the queued connections will have waited for `queue_for`; nullopt while a worker may accept them.
std::optional<Instant> refuse_clients_at(const State& state);

}  // namespace holdfast::core
