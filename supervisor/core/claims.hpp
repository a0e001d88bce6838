#pragma once

#include "core/event.hpp"
#include "core/turn.hpp"

namespace holdfast::core {

// A worker that says it is ready may not hold its listeners at all: a wrapper may have closed them. So each one that
// gets ready is looked at once; until the answer has come it does not settle.
void check_claim(Turn& turn, Worker& worker);

void on_claimed(Turn& turn, const Claimed& event);

}  // namespace holdfast::core
