#pragma once

#include "core/event.hpp"
#include "core/step_context.hpp"

namespace holdfast::core {

// Checks once whether a worker that has become ready has its listeners open: a wrapper may have closed them. The worker
// does not settle before the result arrives.
void check_listener_claim(StepContext& context, Worker& worker);

void on_listener_claimed(StepContext& context, const ListenerClaimed& event);

}  // namespace holdfast::core
