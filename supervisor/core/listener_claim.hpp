#pragma once

#include "core/event.hpp"
#include "core/step_context.hpp"

namespace holdfast::core {

// A worker that says it is ready may not hold its listeners at all: a wrapper may have closed them. So each one that
// gets ready is looked at once; until the answer has come it does not settle.
void check_listener_claim(StepContext& context, Worker& worker);

void on_listener_claimed(StepContext& context, const ListenerClaimed& event);

}  // namespace holdfast::core
